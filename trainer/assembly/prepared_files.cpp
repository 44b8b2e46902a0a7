#include "trainer/assembly/prepared_files.h"

#include <algorithm>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/guard.h"
#include "data/samples/shard_form.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

bool holds_hdf5(const std::string& path) {
  if (!fs::is_directory(path)) return false;
  return std::any_of(fs::directory_iterator(path), fs::directory_iterator(),
                     [](const auto& entry) { return is_hdf5(entry.path().string()); });
}

// Of images only our own shards are ready; of texts any HDF5 is read as it is.
bool holds_samples(const std::string& path, Takes takes) {
  if (holds_hdf5(path)) return true;
  return is_hdf5(path) && (takes == Takes::texts || is_shard(*open_guarded(path)));
}

}  // namespace

bool is_hdf5(const std::string& path) { return path.ends_with(".h5") || path.ends_with(".hdf5"); }

bool are_prepared(const StringList& files, const std::string& split, Takes takes) {
  const auto prepared =
      std::count_if(files.begin(), files.end(), [&](const std::string& path) { return holds_samples(path, takes); });
  if (prepared != 0 && static_cast<size_t>(prepared) != files.size())
    throw ConfigError(concat("data.", split, "_file mixes HDF5 and raw files: ", join(files, ", ")));
  return prepared != 0;
}

}  // namespace sft
