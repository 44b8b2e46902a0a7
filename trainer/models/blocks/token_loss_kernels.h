// CPU kernel over rows of logits: cross-entropy with what a head of many words needs beside it, in one pass a row.
// Torch-free.
#pragma once

#include <cstdint>

namespace sft {

// V words a row.
template <class T>
struct TokenRows {
  int64_t num_words = 0;
  double smoothing = 0;              // ε of label smoothing
  T* logits = nullptr;               // [rows, V]; becomes the gradient where `factors` is there
  const int64_t* targets = nullptr;  // [rows]
  const double* factors = nullptr;   // [rows]: of each row's gradient; null: no gradient is wanted
  double* surprise = nullptr;        // [rows]: −log p of the target
  double* smoothed = nullptr;        // [rows]: (1 − ε) surprise + ε · mean over all words of −log p
  int64_t* best = nullptr;           // [rows]: the likeliest word, the first of several; null: not wanted
};
// `begin … end` is the caller's share of the rows.
void token_rows(const TokenRows<float>& rows, int64_t begin, int64_t end);
void token_rows(const TokenRows<double>& rows, int64_t begin, int64_t end);

}  // namespace sft
