// Every byte of every tensor that a file is said to hold.
#pragma once

#include <string>

#include "trainer/checkpoint/finite.h"
#include "trainer/checkpoint/tensor_file.h"

namespace sft::fuzz {

inline void read_tensors(const TensorFile& file) {
  unsigned sum = 0;
  for (const TensorRef& tensor : file.tensors()) {
    if (file.find(tensor.name) == nullptr) __builtin_trap();
    const auto* bytes = static_cast<const unsigned char*>(tensor.data);
    for (int64_t i = 0; i < tensor.bytes; ++i) sum += bytes[i];
    not_finite_in(tensor);
  }
  static volatile unsigned kept = 0;  // so that the bytes are read
  kept = kept + sum;
}

}  // namespace sft::fuzz
