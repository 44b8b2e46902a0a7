// What every kind of shard of ours is read with: attributes, datasets of a known type, content checked by block.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "data/hdf5/bytes.h"
#include "data/hdf5/guard.h"

namespace sft {

// What the attributes say, and refusals that name them: DataError.
class ShardAttributes {
 public:
  explicit ShardAttributes(const GuardedFile& file) : file_(file) {}
  int64_t version() const;  // one that is read
  int64_t integer(const char* name, int64_t least) const;
  std::string text(const char* name) const;
  std::vector<std::string> texts(const char* name) const { return get(name).texts; }
  std::vector<int64_t> integers(const char* name) const { return get(name).integers; }

 private:
  const hdf5::Attribute& get(const char* name) const;
  void require(bool good, const char* name, const std::string& why) const;
  const GuardedFile& file_;
};

// The dataset `name`, of one of these types and of `count` entries of a shape; DataError otherwise. A count below 0
// stands for any.
const hdf5::DatasetLayout& entries_of(const GuardedFile& file, const std::string& name,
                                      const std::vector<std::string>& types, int64_t count,
                                      const std::vector<int64_t>& entry = {});

// The content of datasets by name, which the file's checksums cover in this order.
std::map<std::string, std::unique_ptr<hdf5::Bytes>> open_covered(const std::shared_ptr<const GuardedFile>& file,
                                                                 const std::vector<std::string>& covered);

}  // namespace sft
