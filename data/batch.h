// One micro-batch in host memory, packed and never padded. The data floor knows no tensors:
// trainer/models/inputs.h moves a batch to a device.
#pragma once

#include <cstdint>
#include <vector>

namespace sft {

struct PackedText {
  std::vector<int64_t> tokens;     // [N] ids, sequence after sequence
  std::vector<int64_t> positions;  // [N] restart at 0 with each sequence
  std::vector<int64_t> segments;   // [N] token type ids
  std::vector<int64_t> offsets;    // [B+1] sequence b is rows offsets[b] … offsets[b+1]
};

struct Batch {
  PackedText text;
  std::vector<int64_t> labels;  // [B] class ids
  std::vector<float> weights;   // [B] sample weights, 1 where the data has none
  std::vector<int64_t> ids;     // [B] indices in the dataset
  std::vector<int64_t> draws;   // [B] place in the global order of the whole run: epoch · size + position

  int64_t size() const { return static_cast<int64_t>(ids.size()); }
  int64_t num_tokens() const { return static_cast<int64_t>(text.tokens.size()); }
};

}  // namespace sft
