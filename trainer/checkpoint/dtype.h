// The element types of the safetensors files that are read and written here.
#pragma once

#include <cstdint>
#include <string_view>

namespace sft {

// Bytes of one element by safetensors' name of its type (F32, BF16, …); 0 for a type that is not known.
int64_t bytes_of_dtype(std::string_view dtype);

}  // namespace sft
