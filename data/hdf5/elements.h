// Numbers out of stored bytes, of any width and byte order.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "data/hdf5/bytes.h"
#include "data/hdf5/layout.h"

namespace sft::hdf5 {

static_assert(std::endian::native == std::endian::little, "shards are little-endian and read as they are");

// An element of a class other than the asked one is an assert. A uint64 above INT64_MAX comes out negative.
void to_integers(const Type& type, const std::byte* bytes, int64_t count, int64_t* out);
void to_reals(const Type& type, const std::byte* bytes, int64_t count, double* out);  // integers too

// Elements first … first + count of a dataset. `out` is resized to `count`.
void read_integers(const Bytes& content, const Type& type, int64_t first, int64_t count, std::vector<int64_t>& out);
void read_reals(const Bytes& content, const Type& type, int64_t first, int64_t count, std::vector<double>& out);

}  // namespace sft::hdf5
