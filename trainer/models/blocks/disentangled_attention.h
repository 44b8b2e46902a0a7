// Disentangled attention (He et al., 2020, equation 4) over packed rows: a query looks at the content of a key and at
// how far away it stands, and a key at how far away the query stands.
//
//   score(i, j) = (q_i · k_j + q_i · K_r(i − j) + k_j · Q_r(i − j)) / √((1 + parts) D)
//
// where both parts are there, content to position and position to content; r(d) is the row of a distance, and K and Q
// are made of a table of such rows by the layers of keys and of queries.
//
//   N rows of keys and values, M of queries, H heads of width D, C = H · D channels; S rows on each side of the table
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "trainer/models/blocks/block_rows.h"
#include "trainer/models/blocks/dropout_key.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/models/model.h"

namespace sft {

// Which row of the table is for a distance: itself, or by buckets that widen with the logarithm.
struct DistanceRows {
  int64_t span = 0;      // S; the table has 2 S rows, and distance 0 is row S
  int64_t buckets = 0;   // 0: none
  int64_t farthest = 0;  // the distance that the last bucket ends at

  // int64 [2 L − 1] of the distances 1 − L … L − 1, ascending, to the bit as transformers computes them.
  at::Tensor of_length(int64_t length) const;
};

struct DisentangledAttention {
  int64_t heads = 1;
  bool content_to_position = true, position_to_content = true;
  DistanceRows distances;
  Linear query, key;             // also of the table's rows
  Mode mode = Mode::evaluation;  // of adapters on these layers
  Dropout positions;             // of the table's rows, for each sequence by its draw
  Dropout probabilities;         // by draw, head, place of the query, key
};

// q [M, C] of the rows that are carried on, k and v [N, C], table [2 S, C] → [M, C].
at::Tensor attend_disentangled(const at::Tensor& q_MC, const at::Tensor& k_NC, const at::Tensor& v_NC,
                               const at::Tensor& table_SC, const BlockRows& rows, const DisentangledAttention& how);

}  // namespace sft
