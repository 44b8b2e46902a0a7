// Attention over packed sequences, one (sequence, head) after the other, on a CPU. Float and double; torch-free.
//
//   B sequences, N packed rows, H heads, D head width, C = H·D channels, M query rows: N, or B where only
//   each sequence's first row asks.
//
// Forward keeps each softmax's highest score and denominator and nothing of size length²; backward computes the
// probabilities again from it (Dao et al., FlashAttention, 2022) and draws the mask again.
#pragma once

#include <cstdint>

#include "trainer/models/blocks/keep_bits.h"

namespace sft {

// Who attends to what, the same on the way back.
struct AttentionShape {
  const int64_t* offsets = nullptr;  // [B+1]: sequence b is rows offsets[b] … offsets[b+1]
  const int64_t* draws = nullptr;    // [B]
  int64_t heads = 0;
  int64_t head_width = 0;
  bool first_only = false;  // one query a sequence, at position 0
  DropoutKey key;
  DropRate rate{0.0};
};

template <class T>
struct AttentionForward {
  AttentionShape shape;
  const T *q = nullptr, *k = nullptr, *v = nullptr;  // [M, C], [N, C], [N, C]
  T* out = nullptr;                                  // [M, C]
  T* norms = nullptr;                                // [M, H, 2]: highest score, 1 / denominator
};

template <class T>
struct AttentionBackward {
  AttentionShape shape;
  const T *q = nullptr, *k = nullptr, *v = nullptr, *norms = nullptr, *d_out = nullptr;
  T *dq = nullptr, *dk = nullptr, *dv = nullptr;
};

// Item b · H + h is head h of sequence b; items share nothing, so any split among threads gives the same bits.
void attend(const AttentionForward<float>& attention, int64_t begin, int64_t end);
void attend(const AttentionForward<double>& attention, int64_t begin, int64_t end);
void attend_backward(const AttentionBackward<float>& attention, int64_t begin, int64_t end);
void attend_backward(const AttentionBackward<double>& attention, int64_t begin, int64_t end);

}  // namespace sft
