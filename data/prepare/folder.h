// A folder of shards that is either whole or absent: one rank fills the folder under another name and
// then renames it.
#pragma once

#include <optional>
#include <string>

#include "base/file_ops.h"
#include "data/prepare/prepare.h"

namespace sft {

class PreparedFolder {
 public:
  PreparedFolder(const std::string& parent, const std::string& name, FileOps& files);
  ~PreparedFolder();  // a folder that was not committed is removed
  PreparedFolder(const PreparedFolder&) = delete;
  PreparedFolder& operator=(const PreparedFolder&) = delete;

  // The report of a whole folder, `reused` set and the shards' paths complete; nothing where there is no whole folder.
  // DataError where the folder was tampered with.
  std::optional<PrepareReport> load() const;

  // Makes the folder to fill and returns its path. What dead processes of this host left is removed, here and by
  // load().
  std::string start();

  // Writes the report and gives the folder its name. Where another job was first, its folder stays: it
  // holds the same.
  void commit(const PrepareReport& report);

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::string partial_;  // path of the folder that is being filled; "" when there is none
  FileOps& files_;
};

}  // namespace sft
