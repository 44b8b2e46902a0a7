// Attention over packed rows: every query attends to the keys of its own sequence. Dropout falls on the probabilities,
// keyed by (seed, place, draw, head, place of the query, key).
//
//   B sequences with N rows of keys and M of queries, H heads, G key heads, D head width
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "trainer/models/blocks/dropout_key.h"
#include "trainer/models/blocks/sequence_groups.h"

namespace sft {

struct Attention {
  int64_t heads = 1, key_heads = 1;  // head h reads key head h / (heads / key_heads)
  // Of each sequence's rows, [B+1] on the host: the same in self-attention of all rows. A sequence may have no queries,
  // and, in cross attention, no keys.
  const std::vector<int64_t>*queries = nullptr, *keys = nullptr;
  // [B] on the host, where rows of no sequence stand between: where each sequence's keys end. Null: where the next
  // one's begin. In a forward pass alone.
  const std::vector<int64_t>* key_ends = nullptr;
  // Of each query among its sequence's keys, int64 [M] on q's device, ascending in a sequence. Undefined: a sequence's
  // queries are at 0, 1, 2, …, however many keys there are.
  at::Tensor places_M = {};
  bool causal = false;               // the query at place i sees the keys 0 … i
  int64_t window = 0;                // 0: none; else the keys j with |i − j| ≤ window
  std::optional<double> scale = {};  // of q · k; nothing: 1 / √D
  // Of relative positions, of q's type, added to the scaled q · k: [H, above any place, above any key]; or by distance
  // [H, 2 L − 1] for places and keys below L, whose column L − 1 + d is for the key d behind the query's place.
  // Undefined: none. Not on a GPU yet: DeviceError.
  at::Tensor bias = {};
  at::Tensor draws_B = {};  // int64
  Dropout dropout;
  const SequenceGroups* groups = nullptr;  // on a device: of these queries and keys
};

// q [M, H · D]; k, v [N, G · D]; the result [M, H · D], zeros for a query without keys.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Attention& attention);

}  // namespace sft
