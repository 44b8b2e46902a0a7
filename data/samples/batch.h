// One micro-batch in host memory, packed and never padded. The data floor knows no tensors:
// trainer/models/inputs.h moves a batch to a device.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

namespace sft {

struct PackedText {
  std::vector<int64_t> tokens;     // [N] ids, sequence after sequence
  std::vector<int64_t> positions;  // [N] restart at 0 with each sequence
  std::vector<int64_t> segments;   // [N] token type ids
  std::vector<int64_t> offsets;    // [B+1] sequence b is rows offsets[b] … offsets[b+1]
};

struct Images {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;  // [B, height, width, channels], cropped and flipped already
};

struct Batch {
  std::variant<PackedText, Images> input;
  std::vector<int64_t> labels;  // [B] class ids, or [N] of TargetForm::token_labels
  std::vector<float> values;    // [B, k] of TargetForm::label_set and TargetForm::values
  std::vector<float> weights;   // [B] sample weights, 1 where the data has none
  std::vector<int64_t> ids;     // [B] indices in the dataset
  std::vector<int64_t> draws;   // [B] place in the global order of the whole run: epoch · size + position

  PackedText& text() { return std::get<PackedText>(input); }
  const PackedText& text() const { return std::get<PackedText>(input); }
  Images& images() { return std::get<Images>(input); }
  const Images& images() const { return std::get<Images>(input); }

  int64_t size() const { return static_cast<int64_t>(ids.size()); }
  // What budgets and rates count: tokens, or images.
  int64_t num_units() const {
    const auto* packed = std::get_if<PackedText>(&input);
    return packed ? static_cast<int64_t>(packed->tokens.size()) : size();
  }
};

}  // namespace sft
