// Attention computed sequence by sequence from scores of its own making, where a score is more than a product of two
// rows: DeBERTa's and XLNet's.
//
// L keys of a sequence, Q of its rows that ask, H heads of width D, C = H · D channels
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "trainer/models/blocks/block_rows.h"
#include "trainer/models/blocks/dropout_key.h"

namespace sft {

// [L, H · D] → [H, L, D], a view.
at::Tensor by_head(const at::Tensor& x_LC, int64_t heads);

// Where one sequence of a batch stands.
struct SequenceRows {
  int64_t number = 0;  // in the batch
  int64_t first_key = 0, length = 0, first_query = 0, asked = 0;
  at::Tensor places_Q;  // int64: of the queries among the keys
  at::Tensor draw_1;    // int64 [1]

  at::Tensor keys_of(const at::Tensor& x_NC, int64_t heads) const {
    return by_head(x_NC.narrow(0, first_key, length), heads);
  }
  at::Tensor queries_of(const at::Tensor& x_MC, int64_t heads) const {
    return by_head(x_MC.narrow(0, first_query, asked), heads);
  }
  // int64 [Q, L]: how far each query stands behind each key, from 1 − L on, with L − 1 added.
  at::Tensor distances() const;
  // What the queries read of the values: softmax of the scores over keys, which fall by (draw, head, place of the
  // query, key), times the values → [Q, C].
  at::Tensor attended(const at::Tensor& scores_HQL, const at::Tensor& v_HLD, const Dropout& probabilities) const;
};

// The sequences that ask at all, in order.
std::vector<SequenceRows> asking_sequences(const BlockRows& rows);

}  // namespace sft
