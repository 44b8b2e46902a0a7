// A directory beside an output file, for shards and parts on their way into it; gone afterwards.
#pragma once

#include <string>

#include "comm/communicator.h"

namespace sft {

class Scratch {
 public:
  // Every rank calls. Rank 0 makes <output>.scratch-<host>-<process>, which is marked (base/mark.h), and removes those
  // that dead processes of this host left: marked ones alone. StorageError where the name is somebody else's.
  Scratch(const std::string& output, Communicator& control);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }

 private:
  Communicator& control_;
  std::string path_;
};

}  // namespace sft
