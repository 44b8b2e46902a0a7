// What every kind of shard of ours is read with: attributes, datasets of a known type, content checked by block.
#pragma once

#include <cstdint>
#include <initializer_list>
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
  void require_version() const;
  int64_t integer(const char* name, int64_t least) const;
  std::string text(const char* name) const;
  std::vector<std::string> texts(const char* name) const { return get(name).texts; }

 private:
  const hdf5::Attribute& get(const char* name) const;
  void require(bool good, const char* name, const std::string& why) const;
  const GuardedFile& file_;
};

// The dataset `name`, of one of these types and, where `count` is not below 0, of so many elements; DataError
// otherwise.
const hdf5::DatasetLayout& vector_of(const GuardedFile& file, const char* name, int64_t count,
                                     std::initializer_list<const char*> types);

// The content of datasets that the file's checksums cover in this order.
std::vector<std::unique_ptr<hdf5::Bytes>> open_covered(const std::shared_ptr<const GuardedFile>& file,
                                                       const std::vector<const hdf5::DatasetLayout*>& covered);

}  // namespace sft
