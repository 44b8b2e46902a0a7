// A packed batch as tensors on a device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "data/batch.h"

namespace sft {

// N packed tokens, B sequences.
struct TextInputs {
  at::Tensor tokens_N;                // int64
  at::Tensor positions_N;             // int64
  at::Tensor segments_N;              // int64
  at::Tensor draws_N;                 // int64: the draw of the sequence that each row belongs to; keys dropout
  at::Tensor draws_B;                 // int64
  at::Tensor offsets;                 // int32 [B+1] on the device
  at::Tensor first_B;                 // int64: row of each sequence's first token
  std::vector<int64_t> host_offsets;  // [B+1]

  int64_t num_sequences() const { return static_cast<int64_t>(host_offsets.size()) - 1; }
};

TextInputs to_device(const Batch& batch, const at::Device& device);

}  // namespace sft
