// Whether numbers are those of their column.
#pragma once

#include <cstddef>
#include <string>

#include "data/samples/sample.h"

namespace sft {

// Why `count` numbers cannot be the column's: "116 is outside 0 … 115"; "" where they can.
std::string fault_of(const Column& column, const std::byte* numbers, size_t count);

// Whether all that ShardWriter::append asks of a sample alone is true of this one.
bool is_whole(const Sample& sample, const Schema& schema, int64_t max_length);

}  // namespace sft
