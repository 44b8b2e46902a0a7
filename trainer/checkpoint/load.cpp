// Checkpoints::load: every tensor, or what a rank wants of it, is put together from the slices that hold it, so it does
// not matter how many ranks wrote them, and which had what.
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "base/text.h"
#include "comm/agree.h"
#include "trainer/checkpoint/checkpoints.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/checkpoint/manifest.h"
#include "trainer/checkpoint/safetensors.h"

namespace sft {
namespace {

// The files of a checkpoint, opened when first asked for.
class SliceReader {
 public:
  explicit SliceReader(const std::string& directory) : directory_(directory) {}

  // The `part` of the tensor that lies in the slice.
  void read(const TensorEntry& entry, const FileSlice& slice, const ByteRun& part, void* to) {
    beat();
    const TensorRef& found = tensor_in(slice.file, entry);
    const std::byte* from = static_cast<const std::byte*>(found.data) + slice.start + (part.offset - slice.offset);
    if (part.bytes > 0) std::memcpy(to, from, static_cast<size_t>(part.bytes));
    require_mapped_files_whole();
  }

  // DataError unless the files hold what their slices say, one slice behind the other, and nothing else, of the tensor.
  void require_slices(const TensorEntry& entry) {
    std::map<std::string, int64_t> bytes;
    for (const FileSlice& slice : entry.slices) {
      int64_t& before = bytes[slice.file];
      if (slice.start != before) refuse(slice.file, entry);
      before += slice.bytes;
    }
    for (const auto& [file, sum] : bytes)
      if (tensor_in(file, entry).bytes != sum) refuse(file, entry);
  }

 private:
  [[noreturn]] void refuse(const std::string& file, const TensorEntry& entry) const {
    throw DataError(concat(directory_, "/", file, ": tensor ", in_quotes(entry.name), " is not as the manifest says"));
  }

  const TensorRef& tensor_in(const std::string& name, const TensorEntry& entry) {
    auto& file = files_[name];
    if (file == nullptr) file = std::make_unique<SafetensorsFile>(concat(directory_, "/", name));
    const TensorRef* found = file->find(entry.name);
    if (found == nullptr || found->dtype != entry.dtype) refuse(name, entry);
    return *found;
  }

  const std::string& directory_;
  std::map<std::string, std::unique_ptr<SafetensorsFile>> files_;
};

const TensorEntry& entry_of(const TensorRef& wanted, const std::map<std::string, const TensorEntry*>& table,
                            const std::string& directory) {
  const auto found = table.find(wanted.name);
  if (found == table.end()) throw DataError(concat(directory, ": holds no tensor ", in_quotes(wanted.name)));
  const TensorEntry& entry = *found->second;
  if (entry.dtype != wanted.dtype || entry.bytes != wanted.bytes)
    throw DataError(concat(directory, ": tensor ", in_quotes(wanted.name), ": wanted ", wanted.bytes, " bytes of ",
                           wanted.dtype, ", found ", entry.bytes, " bytes of ", entry.dtype));
  return entry;
}

// Slices are sorted and cover the tensor.
void read_run(const TensorEntry& entry, const ByteRun& run, std::byte* to, SliceReader& reader) {
  const int64_t end = run.offset + run.bytes;
  for (auto slice = std::ranges::lower_bound(entry.slices, run.offset, {},
                                             [](const FileSlice& one) { return one.offset + one.bytes - 1; });
       slice != entry.slices.end() && slice->offset < end; ++slice) {
    const int64_t first = std::max(run.offset, slice->offset), last = std::min(end, slice->offset + slice->bytes);
    reader.read(entry, *slice, {first, last - first}, to + (first - run.offset));
  }
}

void fill(const std::vector<TensorEntry>& entries, std::vector<TensorRef>& wanted, const std::string& directory,
          SliceReader& reader) {
  std::map<std::string, const TensorEntry*> table;
  for (const TensorEntry& entry : entries) table.emplace(entry.name, &entry);
  std::vector<const TensorEntry*> sources;
  for (const TensorRef& tensor : wanted) sources.push_back(&entry_of(tensor, table, directory));
  for (size_t k = 0; k < wanted.size(); ++k) {
    reader.require_slices(*sources[k]);
    std::byte* to = static_cast<std::byte*>(wanted[k].data);
    for (const ByteRun& run : wanted[k].is_spread ? wanted[k].runs : std::vector<ByteRun>{{0, wanted[k].bytes}}) {
      read_run(*sources[k], run, to, reader);
      to += run.bytes;
    }
  }
}

}  // namespace

void Checkpoints::load(const FoundCheckpoint& found, std::vector<TensorRef>& model, std::vector<TensorRef>& optimizer) {
  together(control_, [&] {
    if (!optimizer.empty() && !found.resumable)
      throw ConfigError(
          concat(found.directory,
                 " was saved with save.save_only_model = true and cannot be resumed. Set "
                 "resume_from_checkpoint = \"none\", or start from its weights, as model.model_name_or_path"));
    const std::string where = concat(found.directory, "/", kManifestName);
    const Manifest manifest = parse_manifest(read_file(where), where);
    SliceReader reader(found.directory);
    fill(manifest.model, model, found.directory, reader);
    for (const TensorRef& tensor : model)
      if (const std::string what = not_finite_in(tensor); !what.empty())
        throw DataError(concat(found.directory, ": ", what));
    fill(manifest.optimizer, optimizer, found.directory, reader);
  });
}

}  // namespace sft
