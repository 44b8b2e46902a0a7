// Attention in models that read a source and write a target: rows of a side over one another, and rows of targets over
// their sources.
//
//   N packed rows of a side, N_s of sources, C channels; M rows that are carried on
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/attention.h"
#include "trainer/models/blocks/block_rows.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/models/model.h"

namespace sft {

// The rows of a block of the decoder.
struct PairRows {
  const PairInputs& inputs;
  BlockRows targets;

  // Queries [M, …] of the targets over keys and values of their sources: the batch's, k and v [N_s, …], or in
  // generation those that block `stage` keeps. `how` says heads, scale and dropout.
  at::Tensor over_sources(int stage, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          Attention how) const;
};

// Rows that a block of either side carries on, and where it stands.
struct BlockAtWork {
  const BlockRows& rows;
  int stage = 0;
  Mode mode = Mode::evaluation;

  RowKeys keys_M() const { return row_keys(mode, rows.draws_M(), rows.positions_M()); }
  at::Tensor dropped(const at::Tensor& x_MC, const Dropout& dropout) const;
};

struct AttentionLayers {
  Linear query, key, value, output;
};

// Of x [N, C] over one another: what the output layer gives without its bias, [M, C].
at::Tensor self_attention(const AttentionLayers& layers, const at::Tensor& x_NC, const Attention& how,
                          const BlockAtWork& here);

// Of x [M, C], rows of targets that are carried on, over sources [N_s, C]: likewise.
at::Tensor cross_attention(const AttentionLayers& layers, const at::Tensor& x_MC, const at::Tensor& source_NC,
                           const Attention& how, const PairRows& rows, const BlockAtWork& here);

}  // namespace sft
