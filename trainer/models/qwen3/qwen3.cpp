#include "trainer/models/qwen3/qwen3.h"

#include <utility>

#include "trainer/models/blocks/rotary_decoder.h"
#include "trainer/models/blocks/rotary_decoder_config.h"

namespace sft {

std::unique_ptr<Model> make_qwen3(nlohmann::json content, const ModelSettings& settings) {
  refuse_sliding_windows(content);
  RotaryDecoderShape shape = read_rotary_decoder(
      content, {.vocab_size = 151936, .inner = 22016, .positions = 32768, .key_heads = 32, .head_width = 128});
  shape.has_qkv_bias = shape.has_output_bias = ConfigReader(content).flag("attention_bias", false);
  shape.has_head_norms = true;
  return std::make_unique<RotaryDecoder>(std::move(content), shape, "Qwen3", settings);
}

}  // namespace sft
