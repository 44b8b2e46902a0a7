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
                                   const std::vector<std::string>& covered) {
  int64_t blocks = 0;
  for (const std::string& name : covered) blocks += num_blocks(file->dataset(name));
  const DatasetLayout& stored = entries_of(*file, format::kChecksums, {"uint32"}, blocks);
  std::vector<uint32_t> checksums(static_cast<size_t>(blocks));
  const auto bytes = hdf5::open_bytes(file, stored);
  bytes->read(0, bytes->size(), reinterpret_cast<std::byte*>(checksums.data()));
  return checksums;
}

}  // namespace

int64_t ShardAttributes::version() const {
  const int64_t version = integer(format::kVersionAttribute, 1);
  if (version > format::kVersion)
    throw DataError(concat(in_quotes(file_.path, 400), " is of version ", version, ", and versions up to ",
                           format::kVersion, " are read; prepare it again"));
  return version;
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

const hdf5::DatasetLayout& entries_of(const GuardedFile& file, const std::string& name,
                                      const std::vector<std::string>& types, int64_t count,
                                      const std::vector<int64_t>& entry) {
  const DatasetLayout& found = file.dataset(name);
  if (std::ranges::find(types, found.type.name) == types.end())
    throw DataError(concat(file.name_of(name), ": is ", found.type.name, ", and ", join(types, " or "), " is read"));
  std::vector<int64_t> wanted = {count >= 0 || found.shape.empty() ? count : found.shape[0]};
  wanted.insert(wanted.end(), entry.begin(), entry.end());
  if (found.shape != wanted)
    throw DataError(concat(file.name_of(name), ": its shape is ", hdf5::shape_text(found.shape), ", and ",
                           count < 0 && entry.empty() ? "one dimension" : hdf5::shape_text(wanted), " belongs there"));
  return found;
}

std::map<std::string, std::unique_ptr<hdf5::Bytes>> open_covered(const std::shared_ptr<const GuardedFile>& file,
                                                                 const std::vector<std::string>& covered) {
  const std::vector<uint32_t> checksums = checksums_of(file, covered);
  std::map<std::string, std::unique_ptr<hdf5::Bytes>> content;
  auto next = checksums.begin();
  for (const std::string& name : covered) {
    const auto first = next;
    next += num_blocks(file->dataset(name));
    content[name] =
        hdf5::checked_bytes(hdf5::open_bytes(file, file->dataset(name)), {first, next}, file->name_of(name));
  }
  return content;
}

}  // namespace sft
