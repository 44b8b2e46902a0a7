// Runs the survey in a process of its own.
#pragma once

#include <string>

#include "data/hdf5/layout.h"

namespace sft::hdf5 {

// The structure of the HDF5 file open as `descriptor`; `path` is for messages. DataError where the file is refused or
// where the HDF5 library does not survive it.
FileLayout survey_in_process(int descriptor, const std::string& path);

}  // namespace sft::hdf5
