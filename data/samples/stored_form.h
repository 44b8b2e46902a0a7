// How a column's numbers lie in a file: as they are, or in fewer bytes where its bound allows that.
#pragma once

#include <cstddef>

#include "data/hdf5/shard_layout.h"
#include "data/samples/packed.h"

namespace sft {

// uint16 for int32 inputs below 65,536, uint8 for float32 below 256, else the column's own type.
StoredElement stored_element(const Column& column);

// `count` numbers of a column that is kept in fewer bytes, into stored ones and back.
void narrow(const Column& column, const std::byte* numbers, size_t count, std::byte* stored);
void widen(const Column& column, const std::byte* stored, size_t count, std::byte* numbers);

}  // namespace sft
