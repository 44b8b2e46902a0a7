// Making the parameters of Llama's relatives, and their names in files.
#include <utility>

#include "base/text.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/blocks/on_device.h"
#include "trainer/models/blocks/rotary_decoder.h"

namespace sft {
namespace {

// In floating point, which cannot overflow; vectors are left out beside the matrices.
double num_parameters(const RotaryDecoderShape& shape) {
  const double of_heads =
      static_cast<double>(2 * shape.heads + 2 * shape.key_heads) * static_cast<double>(shape.head_width);
  return static_cast<double>(shape.width) *
         (static_cast<double>(shape.vocab_size) +
          static_cast<double>(shape.blocks) * (of_heads + 3 * static_cast<double>(shape.inner)));
}

std::string described(const RotaryDecoderShape& shape) {
  return concat("a vocabulary of ", shape.vocab_size, " and ", shape.blocks, " layers of ", shape.width, " and ",
                shape.inner, " channels");
}

DecoderFacts facts_of(const RotaryDecoderShape& shape, const std::string& architecture) {
  return {.vocab_size = shape.vocab_size,
          .positions = shape.positions,
          .width = shape.width,
          .blocks = shape.blocks,
          .initializer_range = shape.initializer_range,
          .is_tied = shape.is_tied,
          .prefix = "model.",
          .architecture = architecture,
          .language_model = architecture + "ForCausalLM",
          .token_head_dropout = shape.token_head_dropout};
}

}  // namespace

RotaryDecoder::RotaryDecoder(nlohmann::json content, const RotaryDecoderShape& shape, const std::string& architecture,
                             const ModelSettings& settings)
    : TextDecoder(std::move(content), facts_of(shape, architecture), settings),
      shape_(shape),
      angles_(shape.rotary, options().dtype(wide_type(settings.dtype))) {
  require_memory_for(num_parameters(shape_), settings.held_options(), described(shape_));
  const int64_t channels = shape_.width, of_queries = shape_.heads * shape_.head_width,
                of_keys = shape_.key_heads * shape_.head_width;
  ParameterBuilder build = builder();
  tables_.word_VC = build.table("embed_tokens", shape_.vocab_size, channels, shape_.padding_id, 0);
  tables_.type = settings.dtype;
  tables_.padding_id = shape_.padding_id;
  blocks_.resize(static_cast<size_t>(shape_.blocks));
  for (int64_t i = 0; i < shape_.blocks; ++i) {
    RotaryBlock& block = blocks_[static_cast<size_t>(i)];
    const int stage = static_cast<int>(i) + 1;
    const std::string name = concat("layers.", i, ".");
    const auto linear = [&](const char* part, int64_t out, int64_t in, bool is_biased) {
      return build.linear(name + part, out, in, stage, {.is_biased = is_biased});
    };
    const auto norm = [&](const char* part, int64_t width) {
      return build.rms_norm(name + part, width, shape_.norm_eps, stage);
    };
    block.query = linear("self_attn.q_proj", of_queries, channels, shape_.has_qkv_bias);
    block.key = linear("self_attn.k_proj", of_keys, channels, shape_.has_qkv_bias);
    block.value = linear("self_attn.v_proj", of_keys, channels, shape_.has_qkv_bias);
    block.attention_output = linear("self_attn.o_proj", channels, of_queries, shape_.has_output_bias);
    if (shape_.has_head_norms) {
      block.query_norm = norm("self_attn.q_norm", shape_.head_width);
      block.key_norm = norm("self_attn.k_norm", shape_.head_width);
    }
    block.gate = linear("mlp.gate_proj", shape_.inner, channels, shape_.has_mlp_bias);
    block.up = linear("mlp.up_proj", shape_.inner, channels, shape_.has_mlp_bias);
    block.down = linear("mlp.down_proj", channels, shape_.inner, shape_.has_mlp_bias);
    block.input_norm = norm("input_layernorm", channels);
    block.output_norm = norm("post_attention_layernorm", channels);
    for (Linear* each :
         {&block.query, &block.key, &block.value, &block.attention_output, &block.gate, &block.up, &block.down})
      add_layer(*each);
  }
  final_norm_ = build.rms_norm("norm", channels, shape_.norm_eps, num_blocks());
}

bool RotaryDecoder::is_base_name(const std::string& name) const {
  for (const char* part : {"embed_tokens.", "layers.", "norm."})
    if (name.starts_with(part)) return true;
  return false;
}

bool RotaryDecoder::is_leftover(const std::string& name) const { return name.ends_with("rotary_emb.inv_freq"); }

}  // namespace sft
