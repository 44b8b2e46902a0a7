// Reads the structure of an open HDF5 file with the HDF5 library, touching none of its data.
#pragma once

#include "data/hdf5/layout.h"

namespace sft::hdf5 {

// DataError, without the file's name, where the library cannot read the file or where it holds what is
// never followed: links other than hard ones, external storage, virtual datasets, user blocks.
FileLayout survey(int descriptor);

}  // namespace sft::hdf5
