#include "trainer/models/llama/llama.h"

#include <utility>

#include "trainer/models/blocks/rotary_decoder.h"
#include "trainer/models/blocks/rotary_decoder_config.h"

namespace sft {
namespace {

RotaryDecoderShape read_llama(nlohmann::json& content) {
  RotaryDecoderShape shape = read_rotary_decoder(content, {});
  ConfigReader read(content);
  shape.has_qkv_bias = shape.has_output_bias = read.flag("attention_bias", false);
  shape.has_mlp_bias = read.flag("mlp_bias", false);
  return shape;
}

// Mistral counts the token itself among those of its window.
RotaryDecoderShape read_mistral(nlohmann::json& content) {
  RotaryDecoderShape shape = read_rotary_decoder(content, {.inner = 14336, .positions = 4096 * 32, .key_heads = 8});
  ConfigReader read(content);
  const bool is_unlimited = content.contains("sliding_window") && !read.has("sliding_window");
  if (!is_unlimited) shape.window = read.count("sliding_window", 4096, 2) - 1;
  return shape;
}

}  // namespace

std::unique_ptr<Model> make_llama(nlohmann::json content, const ModelSettings& settings) {
  const bool is_mistral = content["model_type"] == "mistral";
  const RotaryDecoderShape shape = is_mistral ? read_mistral(content) : read_llama(content);
  return std::make_unique<RotaryDecoder>(std::move(content), shape, is_mistral ? "Mistral" : "Llama", settings);
}

}  // namespace sft
