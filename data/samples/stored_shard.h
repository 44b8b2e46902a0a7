// One shard of a dataset, of whatever kind.
#pragma once

#include <cstdint>
#include <string>

#include "data/samples/content_hash.h"
#include "data/samples/dataset.h"

namespace sft {

class StoredShard : public Dataset {
 public:
  virtual const std::string& path() const = 0;
  virtual int64_t num_units() const = 0;                // tokens, or images
  virtual const ContentHash& content_hash() const = 0;  // as stored
  virtual const char* kind() const = 0;                 // "csr", "image": how a fingerprint begins
};

// A string that is equal for equal samples in equal order, however they are cut into shards.
std::string fingerprint(const char* kind, const ContentHash& hash, int64_t num_samples, int64_t num_units);

}  // namespace sft
