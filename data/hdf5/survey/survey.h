// Reads the structure of an HDF5 file with the HDF5 library, touching none of its data.
#pragma once

#include <string>

#include "data/hdf5/layout.h"

namespace sft::hdf5 {

// DataError, without the file's name, where the library cannot read the file or where it holds what is
// never followed: links other than hard ones, external storage, virtual datasets, user blocks.
FileLayout survey(const std::string& path);

}  // namespace sft::hdf5
