// Checkpoints::load: every tensor is put together from the slices that hold it, so it does not matter how
// many ranks wrote them.
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

  void read(const TensorEntry& entry, const FileSlice& slice, void* to) {
    beat();
    auto& file = files_[slice.file];
    const std::string path = concat(directory_, "/", slice.file);
    if (file == nullptr) file = std::make_unique<SafetensorsFile>(path);
    const TensorRef* found = file->find(entry.name);
    if (found == nullptr || found->bytes != slice.bytes || found->dtype != entry.dtype)
      throw DataError(concat(path, ": tensor ", in_quotes(entry.name), " is not as the manifest says"));
    if (slice.bytes > 0) std::memcpy(to, found->data, static_cast<size_t>(slice.bytes));
    require_mapped_files_whole();
  }

 private:
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

void fill(const std::vector<TensorEntry>& entries, std::vector<TensorRef>& wanted, const std::string& directory,
          SliceReader& reader) {
  std::map<std::string, const TensorEntry*> table;
  for (const TensorEntry& entry : entries) table.emplace(entry.name, &entry);
  std::vector<const TensorEntry*> sources;
  for (const TensorRef& tensor : wanted) sources.push_back(&entry_of(tensor, table, directory));
  for (size_t k = 0; k < wanted.size(); ++k)
    for (const FileSlice& slice : sources[k]->slices)
      reader.read(*sources[k], slice, static_cast<std::byte*>(wanted[k].data) + slice.offset);
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
