// What SegFormer reads from config.json, with transformers' defaults.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "trainer/models/blocks/activation.h"
#include "trainer/models/blocks/pixels.h"

namespace sft {

// One of the resolutions that the encoder works at, the finest first.
struct SegformerScale {
  int64_t width = 0;                   // C
  int64_t blocks = 0, heads = 0;       // of the blocks' attention
  int64_t patch_size = 0, stride = 0;  // of the overlapping patches that it is made of
  int64_t reduction = 1;               // keys and values are of windows of this many rows and columns
  int64_t inner = 0;                   // I, of the blocks' MLP
};

struct SegformerConfig {
  std::vector<SegformerScale> scales;
  int64_t decoder_width = 256;  // D
  Activation activation = Activation::gelu;
  double hidden_dropout = 0, attention_dropout = 0, classifier_dropout = 0.1;
  double drop_path = 0.1;  // of the last block; the first has 0, those between lie evenly
  double initializer_range = 0.02;
  PixelScale pixels;

  int64_t num_blocks() const;
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
SegformerConfig read_segformer_config(nlohmann::json& content);

}  // namespace sft
