// The filters of HDF5 chunks that are undone here: deflate, shuffle, fletcher32. Own code on zlib, because
// the library's pipeline trusts what a chunk decompresses to.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "data/hdf5/layout.h"

namespace sft::hdf5 {

bool is_known_filter(const Filter& filter);
std::string filter_name(int id);

// Undoes the dataset's filters on the stored bytes of a chunk. Returns exactly `size` bytes; otherwise
// std::runtime_error says what is wrong with them.
std::vector<std::byte> unfiltered(std::vector<std::byte> stored, const DatasetLayout& dataset, const Chunk& chunk,
                                  size_t size);

// HDF5's variant of Fletcher's checksum: 16-bit big-endian words, summed from the start.
uint32_t fletcher32(const std::byte* data, size_t size);

}  // namespace sft::hdf5
