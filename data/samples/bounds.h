// Whether numbers are those of their column.
#pragma once

#include <cstddef>
#include <string>

#include "data/samples/sample.h"

namespace sft {

// Whether `count` numbers are within the column's bound, or finite where they are real.
bool fits(const Column& column, const std::byte* numbers, size_t count);

// Why they are not: "116 is outside 0 … 115"; "" where they are.
std::string fault_of(const Column& column, const std::byte* numbers, size_t count);

// Whether all that ShardWriter::append asks of a sample alone is true of this one.
bool is_whole(const Sample& sample, const Schema& schema, int64_t max_length);

}  // namespace sft
