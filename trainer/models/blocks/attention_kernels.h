// Attention over packed sequences, one after the other, on a CPU. Float and double; torch-free.
//
//   B sequences with N packed rows of keys and M of queries, H heads, G key heads, D head width. Heads that follow one
//   another share a key head: head h reads key head h / (H / G).
//
// Forward keeps each softmax's highest score and denominator and nothing of size length²; backward computes the
// probabilities again from it (Dao et al., FlashAttention, 2022) and draws the mask again.
#pragma once

#include <cstdint>

#include "trainer/models/blocks/drop_rate.h"

namespace sft {

// Who attends to what, the same on the way back. The query at place i sees the keys j with |i − j| ≤ window and, if
// causal, j ≤ i.
struct AttentionShape {
  const int64_t* queries = nullptr;   // [B+1]: sequence b asks by the rows queries[b] … queries[b+1] of q
  const int64_t* keys = nullptr;      // [B+1], likewise of k and v
  const int64_t* key_ends = nullptr;  // [B]: where a sequence's rows of k and v end; null: where the next one's begin
  const int64_t* places = nullptr;    // [M] of each query among its sequence's keys, ascending; null: 0, 1, 2, …
  const int64_t* draws = nullptr;     // [B]
  int64_t heads = 0, key_heads = 0;
  int64_t head_width = 0;
  double scale = 1;  // of q · k
  bool causal = false;
  int64_t window = 0;  // 0: none
  DropoutKey key;
  DropRate rate{0.0};

  bool masks() const { return causal || window > 0; }
  int64_t num_keys(int64_t b) const { return (key_ends ? key_ends[b] : keys[b + 1]) - keys[b]; }
};

// By head and the places of query and key, added to scores: T5's relative positions. A table by distance has steps of
// −1 from a query to the next.
template <class T>
struct PlaceBias {
  T* at = nullptr;                        // null: none
  int64_t head_step = 0, query_step = 0;  // elements from a head or a query to the next
  T* row(int64_t head, int64_t place) const { return at ? at + head * head_step + place * query_step : nullptr; }
};

template <class T>
struct AttentionForward {
  AttentionShape shape;
  const T *q = nullptr, *k = nullptr, *v = nullptr;  // [M, H · D], [N, G · D], [N, G · D]
  PlaceBias<const T> bias;
  T* out = nullptr;    // [M, H · D]; zeros for a query that sees no key
  T* norms = nullptr;  // [M, H, 2]: highest score, 1 / denominator
};

template <class T>
struct AttentionBackward {
  AttentionShape shape;
  const T *q = nullptr, *k = nullptr, *v = nullptr;
  PlaceBias<const T> bias;
  const T *norms = nullptr, *d_out = nullptr;
  T *dq = nullptr, *dk = nullptr, *dv = nullptr;
  PlaceBias<T> d_bias;  // added to
};

// Item b · G + g is key head g of sequence b with the heads that read it: `first`, first + step, … below `end`. Items
// share nothing but d_bias, which items of one g add to: any split among threads that keeps these together and in order
// gives the same bits.
struct AttentionItems {
  int64_t first = 0, end = 0, step = 1;
};

void attend(const AttentionForward<float>& attention, const AttentionItems& items);
void attend(const AttentionForward<double>& attention, const AttentionItems& items);
void attend_backward(const AttentionBackward<float>& attention, const AttentionItems& items);
void attend_backward(const AttentionBackward<double>& attention, const AttentionItems& items);

}  // namespace sft
