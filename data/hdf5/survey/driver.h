// The file driver of the survey: HDF5 reads through it, from a descriptor. It can be asked to note where
// raw data would be read instead of reading it. That is how a chunk is found: HDF5 1.10 gives a chunk's place by number
// only, walking over all before it, so that a table of them takes the square of their number.
#pragma once

#include <hdf5.h>

#include <optional>

#include "data/hdf5/handle.h"

namespace sft::hdf5 {

// The file open as `descriptor`, for reading and without locks. Empty where it is not HDF5.
File open_descriptor(int descriptor);

struct Place {
  haddr_t offset = 0;
  size_t bytes = 0;
  uint32_t skipped_filters = 0;
};

// Finds where the chunk that begins at `origin` is stored, if it was ever written. False where the file is damaged.
bool find_chunk(hid_t dataset, const hsize_t* origin, std::optional<Place>& place);

}  // namespace sft::hdf5
