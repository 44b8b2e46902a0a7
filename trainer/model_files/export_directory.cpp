#include "trainer/model_files/export_directory.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/crc32c.h"
#include "base/errors.h"
#include "base/failpoint.h"
#include "base/leftovers.h"
#include "base/log.h"
#include "base/mark.h"
#include "base/progress.h"
#include "base/text.h"
#include "trainer/checkpoint/run_directory.h"

namespace sft {
namespace fs = std::filesystem;

uint32_t crc32c_of_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<char> block(1 << 20);
  uint32_t crc = 0;
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    beat();
    crc = crc32c(block.data(), static_cast<size_t>(in.gcount()), crc);
  }
  return crc;
}

namespace {

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
        files[name] != crc32c_of_file(entry.path()))
      return false;
    ++found;
  }
  return found == files.size();
}

void fill(FileOps& files, const std::string& directory, const WriteFiles& write, const NamedFiles& beside) {
  nlohmann::json checksums = write(directory);
  for (const auto& [name, content] : beside) {
    write_atomically(files, directory + "/" + name, content);
    checksums[name] = crc32c(content.data(), content.size());
  }
  leave_mark(files, directory, {{"is", "model"}, {"files", checksums}});
  files.sync_directory(directory);
}

void remove_if_possible(FileOps& files, const std::string& directory) {
  try {
    files.remove_all(directory);
  } catch (const StorageError& error) {
    log::warn(concat("a half-made export stays: ", error.what()));
  }
}

}  // namespace

void publish_directory(FileOps& files, const std::string& directory, const WriteFiles& write,
                       const NamedFiles& beside) {
  std::string path = directory;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  failpoint("model.export");
  const std::string temporary = name_in_progress(path, "tmp");
  remove_leftovers(files, path, "tmp");
  files.remove_all(temporary);
  files.make_directory(temporary);
  try {
    fill(files, temporary, write, beside);
  } catch (...) {
    remove_if_possible(files, temporary);  // so that a full disk gets its room back
    throw;
  }
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
