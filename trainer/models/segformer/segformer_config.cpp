#include "trainer/models/segformer/segformer_config.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"

namespace sft {
namespace {

using nlohmann::json;
using List = std::vector<int64_t>;

constexpr int64_t kMostScales = 16, kMostChannels = 1 << 16, kMostPatch = 64;

// One number from 1 to `most` a scale. The defaults are of four.
List of_scales(json& content, const char* key, const List& usual, size_t scales, int64_t most) {
  const json& value = content.emplace(key, usual).first.value();
  const bool good = value.is_array() && value.size() == scales && std::ranges::all_of(value, [&](const json& one) {
                      return one.is_number_integer() && one >= 1 && one <= most;
                    });
  if (!good)
    ConfigReader(content).refuse(
        key, concat("a list of ", scales, " integers from 1 to ", most, ", one for each of the num_encoder_blocks"));
  return value.get<List>();
}

}  // namespace

int64_t SegformerConfig::num_blocks() const {
  return std::accumulate(scales.begin(), scales.end(), int64_t{0},
                         [](int64_t sum, const SegformerScale& scale) { return sum + scale.blocks; });
}

SegformerConfig read_segformer_config(json& content) {
  SegformerConfig config;
  ConfigReader read(content);
  if (read.has("quantization_config")) read.refuse("quantization_config", "absent (quantized weights are not built)");
  const auto scales = static_cast<size_t>(read.count("num_encoder_blocks", 4, 1, kMostScales));
  const auto list = [&](const char* key, const List& usual, int64_t most) {
    return of_scales(content, key, usual, scales, most);
  };
  const List depths = list("depths", {2, 2, 2, 2}, ConfigReader::kMostBlocks);
  const List widths = list("hidden_sizes", {32, 64, 160, 256}, kMostChannels);
  const List heads = list("num_attention_heads", {1, 2, 5, 8}, kMostChannels);
  const List patches = list("patch_sizes", {7, 3, 3, 3}, kMostPatch);
  const List strides = list("strides", {4, 2, 2, 2}, kMostPatch);
  const List reductions = list("sr_ratios", {8, 4, 2, 1}, kMostPatch);
  const List ratios = list("mlp_ratios", {4, 4, 4, 4}, kMostPatch);
  for (size_t s = 0; s < scales; ++s) {
    if (widths[s] % heads[s] != 0) read.refuse("hidden_sizes", "multiples of num_attention_heads");
    config.scales.push_back({.width = widths[s],
                             .blocks = depths[s],
                             .heads = heads[s],
                             .patch_size = patches[s],
                             .stride = strides[s],
                             .reduction = reductions[s],
                             .inner = widths[s] * ratios[s]});
  }
  config.decoder_width = read.count("decoder_hidden_size", config.decoder_width, 1, kMostChannels);
  config.activation = read.activation("hidden_act");
  config.hidden_dropout = read.rate("hidden_dropout_prob", config.hidden_dropout);
  config.attention_dropout = read.rate("attention_probs_dropout_prob", config.attention_dropout);
  config.classifier_dropout = read.rate("classifier_dropout_prob", config.classifier_dropout);
  config.drop_path = read.rate("drop_path_rate", config.drop_path);
  config.initializer_range =
      read.number("initializer_range", config.initializer_range, 1e6, "a standard deviation, 0 or more");
  config.pixels = read_pixel_scale(content, kImageNetPixels);
  return config;
}

}  // namespace sft
