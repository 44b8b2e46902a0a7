// CPU kernels for few rows x times a weight W, as when answers are generated. W comes from memory once, however many
// the rows are, and in a narrower type it is widened on its way; a wide copy would be two more passes over twice the
// bytes. Torch-free.
#pragma once

#include <cstdint>

namespace sft {

// Numbers of 16 bits, as they lie in memory.
struct BrainFloat {
  uint16_t bits;
};
struct HalfFloat {
  uint16_t bits;
};

constexpr int64_t kMostFewRows = 64;

template <class W>
struct FewRows {
  int64_t num_rows = 0, in = 0, out = 0;  // of rows kMostFewRows at most
  const float* x = nullptr;               // as the product says
  const W* weight = nullptr;              // [out, in]; across: [in, out]
  float* y = nullptr;                     // [rows, out]
};

constexpr int64_t kMostUnturned = 8;

// Rows x [rows, in] turned, where they are more than kMostUnturned: [in, wide_rows(rows)], zeros behind the last row.
int64_t wide_rows(int64_t rows);
void turn_rows(const float* x, int64_t rows, int64_t in, float* turned);

// y = x · Wᵀ, of turned rows, or of so few as they are; `begin … end` is the caller's share of `out`.
void few_rows_product(const FewRows<float>& work, int64_t begin, int64_t end);
void few_rows_product(const FewRows<BrainFloat>& work, int64_t begin, int64_t end);
void few_rows_product(const FewRows<HalfFloat>& work, int64_t begin, int64_t end);

// y = x · W for W [in, out], as GPT-2's files have it, of rows as they are.
void few_rows_product_across(const FewRows<float>& work, int64_t begin, int64_t end);
void few_rows_product_across(const FewRows<BrainFloat>& work, int64_t begin, int64_t end);
void few_rows_product_across(const FewRows<HalfFloat>& work, int64_t begin, int64_t end);

}  // namespace sft
