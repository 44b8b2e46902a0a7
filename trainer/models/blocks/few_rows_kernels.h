// CPU kernel for few rows x times a weight W [out, in] in bfloat16, as when answers are generated: such a product is as
// fast as W comes from memory, and a wide copy of W would be two more passes over twice the bytes. Torch-free.
#pragma once

#include <cstdint>

namespace sft {

struct FewRows {
  int64_t num_rows = 0, in = 0, out = 0;
  const float* x = nullptr;          // [rows, in]
  const uint16_t* weight = nullptr;  // [out, in]: the upper halves of float32
  float* y = nullptr;                // [rows, out] = x · Wᵀ
};
// `begin … end` is the caller's share of the rows of W.
void few_rows_product(const FewRows& work, int64_t begin, int64_t end);

}  // namespace sft
