// Self-attention over packed rows: every token attends to its own sequence. Dropout falls on the probabilities, keyed
// by (seed, place, draw, head, query, key).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "trainer/models/blocks/dropout_key.h"

namespace sft {

struct Attention {
  int64_t heads = 1;
  const std::vector<int64_t>* offsets = nullptr;  // [B+1] on the host
  at::Tensor draws_B;                             // int64
  bool first_only = false;                        // one query a sequence: its first token
  Dropout dropout;
};

// k, v [N, C]; q and the result [N, C], or [B, C] where first_only.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention);

// The same from ATen's operators, on any device: sequences padded to the longest, masks by tensor operators.
at::Tensor attend_composed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention);

}  // namespace sft
