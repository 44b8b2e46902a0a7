#include "trainer/models/gpt2/gpt2_config.h"

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"

namespace sft {

Gpt2Config read_gpt2_config(nlohmann::json& content) {
  ConfigReader read(content);
  for (const char* key : {"scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "add_cross_attention"})
    read.refuse_unless_false(key, "false (that variant of GPT-2 is not built)");
  if (!read.flag("scale_attn_weights", true)) read.refuse("scale_attn_weights", "true (products are divided by √D)");
  if (read.has("quantization_config")) read.refuse("quantization_config", "absent (quantized weights are not built)");

  Gpt2Config config;
  config.vocab_size = read.count("vocab_size", 50257);
  config.positions = read.count("n_positions", 1024);
  config.width = read.count("n_embd", 768);
  config.blocks = read.count("n_layer", 12, 1, ConfigReader::kMostBlocks);
  config.heads = read.count("n_head", 12);
  if (config.width % config.heads != 0) read.refuse("n_embd", concat("a multiple of n_head (", config.heads, ")"));
  config.inner = read.has("n_inner") ? read.count("n_inner", 0) : 4 * config.width;
  config.activation = read.activation("activation_function", "gelu_new");
  config.embedding_dropout = read.rate("embd_pdrop", 0.1);
  config.attention_dropout = read.rate("attn_pdrop", 0.1);
  config.residual_dropout = read.rate("resid_pdrop", 0.1);
  config.norm_eps = read.number("layer_norm_epsilon", 1e-5, 1.0, "a small number, 0 or more");
  config.initializer_range = read.number("initializer_range", 0.02, 1e6, "a standard deviation, 0 or more");
  for (const char* key : {"hidden_dropout", "classifier_dropout"})
    if (read.has(key)) config.token_head_dropout = read.rate(key, 0.0);
  config.is_tied = read.flag("tie_word_embeddings", true);
  return config;
}

}  // namespace sft
