// The rows of a block: all N of a batch, or in the last block the M that somebody reads, which alone ask and are
// carried on, over keys and values of all.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/attention.h"
#include "trainer/models/inputs.h"

namespace sft {

struct BlockRows {
  const TextInputs& inputs;
  const ReadRows* read = nullptr;  // null: all of them

  // Of [N, …] those that are carried on.
  at::Tensor of(const at::Tensor& x_NC) const { return read != nullptr ? x_NC.index_select(0, read->rows_M) : x_NC; }
  const at::Tensor& draws_M() const { return read != nullptr ? read->draws_M : inputs.draws_N; }
  const at::Tensor& positions_M() const { return read != nullptr ? read->positions_M : inputs.positions_N; }

  // Of these rows over all; heads, masks and dropout are for the caller to say.
  Attention attention() const {
    return {.queries = read != nullptr ? &read->offsets : &inputs.host_offsets,
            .keys = &inputs.host_offsets,
            .places_M = read != nullptr ? read->positions_M : at::Tensor(),
            .draws_B = inputs.draws_B,
            .dropout = {},
            .groups = read != nullptr ? &read->groups : &inputs.groups};
  }
};

}  // namespace sft
