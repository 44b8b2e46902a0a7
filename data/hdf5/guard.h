// The one way into an HDF5 file. What comes out has been surveyed in another process and its numbers
// checked against the file's size, so that reading it is arithmetic on trusted offsets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "data/hdf5/descriptor.h"
#include "data/hdf5/layout.h"

namespace sft {

struct GuardedFile {
  std::string path;
  Descriptor descriptor;
  int64_t bytes = 0;
  hdf5::FileLayout layout;

  // "'shard.h5', dataset 'tokens'": how an error begins.
  std::string name_of(const std::string& dataset) const;

  // DataError naming what there is instead, where it is missing.
  const hdf5::DatasetLayout& dataset(const std::string& name) const;
};

// Opens for reading, without locks. ConfigError where there is no such file; DataError naming file and dataset where it
// is not HDF5, is damaged or cut short, leaves the file (external storage, links other than hard ones, virtual
// datasets), uses other filters than deflate, shuffle and fletcher32, or declares more than 4 TiB or 1000 times what it
// stores.
std::shared_ptr<const GuardedFile> open_guarded(const std::string& path);
// The same of a file that is open already, one in memory alone too; `path` is what errors call it.
std::shared_ptr<const GuardedFile> open_guarded(Descriptor descriptor, const std::string& path);

}  // namespace sft
