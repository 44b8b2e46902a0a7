// The rows of a block: all N of a batch, or in the last block the M that somebody reads, which alone ask and are
// carried on, over keys and values of all.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/attention.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/models/inputs.h"
#include "trainer/models/model.h"

namespace sft {

struct BlockRows {
  static constexpr int64_t kPlaces = int64_t{1} << 20;  // above every place in a text

  const TextInputs& inputs;
  const ReadRows* read = nullptr;  // null: all of them
  int64_t pass = 0;                // of blocks that run on the same weights, which: adapters drop apart in each

  // Of [N, …] those that are carried on.
  at::Tensor of(const at::Tensor& x_NC) const { return read != nullptr ? x_NC.index_select(0, read->rows_M) : x_NC; }
  const at::Tensor& draws_M() const { return read != nullptr ? read->draws_M : inputs.draws_N; }
  const at::Tensor& positions_M() const { return read != nullptr ? read->positions_M : inputs.positions_N; }

  // What keys the dropout of adapters, of all N rows and of those that are carried on.
  RowKeys keys_N(Mode mode) const { return keys_of(mode, inputs.draws_N, inputs.positions_N); }
  RowKeys keys_M(Mode mode) const { return keys_of(mode, draws_M(), positions_M()); }

  struct Projected {
    at::Tensor q_M, k_N, v_N;
  };
  // Queries of x_MC, the rows of x_NC that are carried on; keys and values of all. The gradient of x_NC is summed in as
  // few products as that lets.
  Projected projected(const at::Tensor& x_NC, const at::Tensor& x_MC, const Linear& query, const Linear& key,
                      const Linear& value, Mode mode) const;

  // Queries [M, …] of these rows over keys and values of all: the batch's, k and v [N, …], and in generation those that
  // block `stage` has kept before. `how` says heads, masks, bias and dropout.
  at::Tensor attended(int stage, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, Attention how) const;

 private:
  RowKeys keys_of(Mode mode, const at::Tensor& draws, const at::Tensor& positions) const;
};

}  // namespace sft
