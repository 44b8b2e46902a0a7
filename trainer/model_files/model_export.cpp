#include "trainer/model_files/model_export.h"

#include <filesystem>
#include <fstream>
#include <vector>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/leftovers.h"
#include "base/log.h"
#include "base/mark.h"
#include "base/text.h"
#include "trainer/checkpoint/finite.h"
#include "trainer/checkpoint/run_directory.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/model_files/tensor_refs.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// Of a file in blocks: weights may be larger than memory.
uint32_t checksum_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<char> block(1 << 20);
  uint32_t crc = 0;
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0)
    crc = crc32c(block.data(), static_cast<size_t>(in.gcount()), crc);
  return crc;
}

// Nothing was added, taken away or changed since export_model made it.
bool is_as_exported(const std::string& directory) {
  const auto mark = mark_of(directory);
  if (!mark || mark->value("is", "") != "model" || !mark->contains("files")) return false;
  const nlohmann::json& files = (*mark)["files"];
  size_t found = 0;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name == kMarkName) continue;
    if (entry.is_symlink() || !entry.is_regular_file() || !files.contains(name) ||
        files[name] != checksum_of(entry.path()))
      return false;
    ++found;
  }
  return found == files.size();
}

}  // namespace

void export_model(FileOps& files, const std::string& directory, const Parameters& parameters, const NamedFiles& beside,
                  const ExportedWeights& weights) {
  std::string path = directory;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::string temporary = name_in_progress(path, "tmp");
  remove_leftovers(files, path, "tmp");
  const HostTensors tensors(named_tensors(parameters));
  for (const TensorRef& tensor : tensors.refs())
    if (const std::string what = not_finite_in(tensor); !what.empty())
      throw Error(ExitCode::not_finite, concat("the model is not exported: ", what));
  files.remove_all(temporary);
  files.make_directory(temporary);
  nlohmann::json checksums;
  checksums[weights.file] = write_safetensors(files, temporary + "/" + weights.file, tensors.refs(), weights.metadata);
  for (const auto& [name, content] : beside) {
    write_atomically(files, temporary + "/" + name, content);
    checksums[name] = crc32c(content.data(), content.size());
  }
  leave_mark(files, temporary, {{"is", "model"}, {"files", checksums}});
  files.sync_directory(temporary);
  const bool replaces = fs::exists(path), is_own = replaces && is_as_exported(path);
  const std::string aside = is_own ? name_in_progress(path, "old") : concat(path, ".kept-", unique_name());
  if (replaces) files.rename(path, aside);
  files.rename(temporary, path);
  const fs::path parent = fs::absolute(path).parent_path();
  files.sync_directory(parent.string());
  if (is_own) files.remove_all(aside);
  if (replaces && !is_own)
    log::warn(concat(path, " is not known to be as this program left it: what was there is kept as ", aside));
  remove_leftovers(files, path, "old");
}

}  // namespace sft
