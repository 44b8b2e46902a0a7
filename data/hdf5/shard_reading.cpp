#include "data/hdf5/shard_reading.h"

#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/format.h"

namespace sft {
namespace {

using hdf5::DatasetLayout;

int64_t num_blocks(const DatasetLayout& dataset) {
  return (hdf5::num_elements(dataset.shape) * dataset.type.bytes + format::kBlockBytes - 1) / format::kBlockBytes;
}

std::vector<uint32_t> checksums_of(const std::shared_ptr<const GuardedFile>& file,
                                   const std::vector<const DatasetLayout*>& covered) {
  int64_t blocks = 0;
  for (const DatasetLayout* dataset : covered) blocks += num_blocks(*dataset);
  const DatasetLayout& stored = sft::vector_of(*file, format::kChecksums, blocks, {"uint32"});
  std::vector<uint32_t> checksums(static_cast<size_t>(blocks));
  const auto bytes = hdf5::open_bytes(file, stored);
  bytes->read(0, bytes->size(), reinterpret_cast<std::byte*>(checksums.data()));
  return checksums;
}

}  // namespace

void ShardAttributes::require_version() const {
  if (const int64_t version = integer(format::kVersionAttribute, 1); version != format::kVersion)
    throw DataError(concat(in_quotes(file_.path, 400), " is of version ", version, ", and version ", format::kVersion,
                           " is read; prepare it again"));
}

int64_t ShardAttributes::integer(const char* name, int64_t least) const {
  const hdf5::Attribute& attribute = get(name);
  require(attribute.integers.size() == 1, name, concat("is not one integer but ", attribute.type));
  require(attribute.integers[0] >= least, name,
          concat("is ", attribute.integers[0], ", and at least ", least, " is needed"));
  return attribute.integers[0];
}

std::string ShardAttributes::text(const char* name) const {
  const hdf5::Attribute& attribute = get(name);
  require(attribute.texts.size() == 1, name, concat("is not one string but ", attribute.type));
  return attribute.texts[0];
}

const hdf5::Attribute& ShardAttributes::get(const char* name) const {
  const hdf5::Attribute* found = file_.layout.attribute(name);
  require(found != nullptr, name, "is missing");
  return *found;
}

void ShardAttributes::require(bool good, const char* name, const std::string& why) const {
  if (!good) throw DataError(concat(in_quotes(file_.path, 400), ", attribute ", in_quotes(name), ": ", why));
}

const hdf5::DatasetLayout& vector_of(const GuardedFile& file, const char* name, int64_t count,
                                     std::initializer_list<const char*> types) {
  const DatasetLayout& found = file.dataset(name);
  std::vector<std::string> wanted;
  for (const char* type : types) wanted.emplace_back(type);
  if (std::find(wanted.begin(), wanted.end(), found.type.name) == wanted.end())
    throw DataError(concat(file.name_of(name), ": is ", found.type.name, ", and ", join(wanted, " or "), " is read"));
  if (found.shape.size() != 1 || (count >= 0 && found.shape[0] != count))
    throw DataError(concat(file.name_of(name), ": its shape is ", hdf5::shape_text(found.shape), ", and ",
                           count >= 0 ? hdf5::shape_text({count}) : "one dimension", " belongs there"));
  return found;
}

std::vector<std::unique_ptr<hdf5::Bytes>> open_covered(const std::shared_ptr<const GuardedFile>& file,
                                                       const std::vector<const DatasetLayout*>& covered) {
  const std::vector<uint32_t> checksums = checksums_of(file, covered);
  std::vector<std::unique_ptr<hdf5::Bytes>> content;
  auto next = checksums.begin();
  for (const DatasetLayout* dataset : covered) {
    const auto first = next;
    next += num_blocks(*dataset);
    content.push_back(
        hdf5::checked_bytes(hdf5::open_bytes(file, *dataset), {first, next}, file->name_of(dataset->name)));
  }
  return content;
}

}  // namespace sft
