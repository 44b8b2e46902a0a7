#include "trainer/models/blocks/post_norm_config.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace sft {
namespace {

PostNormSide read_side(ConfigReader& read, const std::string& side, int64_t width) {
  const std::string blocks = side + "_layers", heads = side + "_attention_heads", inner = side + "_ffn_dim",
                    layerdrop = side + "_layerdrop";
  PostNormSide out;
  out.blocks = read.count(blocks.c_str(), 12, 1, ConfigReader::kMostBlocks);
  out.heads = read.count(heads.c_str(), 16);
  out.inner = read.count(inner.c_str(), 4096);
  if (width % out.heads != 0) read.refuse("d_model", concat("a multiple of ", heads, " (", out.heads, ")"));
  if (read.rate(layerdrop.c_str(), 0.0) > 0) read.refuse(layerdrop.c_str(), "0 (blocks that fall are not built)");
  return out;
}

void read_tables(ConfigReader& read, PostNormConfig& config) {
  if (read.has("decoder_vocab_size")) config.target_vocab_size = read.count("decoder_vocab_size", 0);
  config.shares_embeddings = read.flag("share_encoder_decoder_embeddings", true);
  if (config.shares_embeddings && config.target_vocab_size != config.vocab_size)
    read.refuse("decoder_vocab_size", concat("vocab_size (", config.vocab_size, "), as both sides share one table"));
}

}  // namespace

PostNormConfig read_post_norm_config(ConfigReader& read, const PostNormDefaults& defaults) {
  if (read.has("quantization_config")) read.refuse("quantization_config", "absent (quantized weights are not built)");
  for (const char* key : {"normalize_before", "add_final_layer_norm"})
    read.refuse_unless_false(key, "false (blocks with norms in front are not built)");

  PostNormConfig config;
  config.vocab_size = config.target_vocab_size = read.count("vocab_size", defaults.vocab_size);
  config.positions = read.count("max_position_embeddings", 1024);
  config.width = read.count("d_model", 1024);
  config.encoder = read_side(read, "encoder", config.width);
  config.decoder = read_side(read, "decoder", config.width);
  config.activation = read.activation("activation_function", "gelu");
  config.dropout = read.rate("dropout", 0.1);
  config.attention_dropout = read.rate("attention_dropout", 0.0);
  config.activation_dropout = read.rate("activation_dropout", 0.0);
  config.initializer_range = read.number("init_std", 0.02, 1e6, "a standard deviation, 0 or more");
  config.scales_embedding = read.flag("scale_embedding", false);
  config.is_tied = read.flag("tie_word_embeddings", true);
  if (defaults.may_have_two_tables) read_tables(read, config);
  const int64_t fewest = std::min(config.vocab_size, config.target_vocab_size);
  config.padding_id = read.row("pad_token_id", defaults.padding_id, fewest);
  config.start_id = read.row("decoder_start_token_id", defaults.start_id, config.target_vocab_size);
  return config;
}

}  // namespace sft
