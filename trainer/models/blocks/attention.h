// Self-attention over packed rows: every token attends to its own sequence. Dropout falls on the probabilities, keyed
// by (seed, place, draw, head, query, key).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "trainer/models/blocks/dropout_key.h"
#include "trainer/models/blocks/sequence_groups.h"

namespace sft {

struct Attention {
  int64_t heads = 1;
  const std::vector<int64_t>* offsets = nullptr;  // [B+1] on the host
  at::Tensor draws_B;                             // int64
  bool first_only = false;                        // one query a sequence: its first token
  Dropout dropout;
  const SequenceGroups* groups = nullptr;  // on a device
};

// k, v [N, C]; q and the result [N, C], or [B, C] where first_only.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention);

}  // namespace sft
