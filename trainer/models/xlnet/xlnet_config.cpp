#include "trainer/models/xlnet/xlnet_config.h"

#include <algorithm>

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"

namespace sft {

using nlohmann::json;

XlnetConfig read_xlnet_config(json& content) {
  ConfigReader read(content);
  const auto want = [&](const char* key, const char* value, const char* why) {
    if (content.emplace(key, value).first.value() != value) read.refuse(key, concat("\"", value, "\" (", why, ")"));
  };
  want("attn_type", "bi", "every token sees all; others are not built");
  want("summary_type", "last", "the token <cls> ends a text; others are not built");
  read.refuse_unless_false("bi_data", "false (batches read in both directions are for pretraining)");
  read.refuse_unless_false("summary_proj_to_labels", "false (a layer of the model's width is built)");
  if (!read.flag("summary_use_proj", true)) read.refuse("summary_use_proj", "true (a head without it is not built)");
  if (content.contains("summary_activation") && !read.has("summary_activation"))
    read.refuse("summary_activation", "the name of an activation (none is not built)");

  XlnetConfig config;
  config.vocab_size = read.count("vocab_size", 32000);
  config.width = read.count("d_model", 1024);
  config.blocks = read.count("n_layer", 24, 1, ConfigReader::kMostBlocks);
  config.heads = read.count("n_head", 16);
  config.inner = read.count("d_inner", 4096);
  if (config.width % config.heads != 0 || config.width % 2 != 0)
    read.refuse("d_model", concat("an even multiple of n_head (", config.heads, ")"));
  const int64_t head_width = config.width / config.heads;
  if (read.has("d_head") && content["d_head"] != head_width)
    read.refuse("d_head", concat("d_model / n_head (", head_width, ")"));
  config.farthest = std::max(read.has("clamp_len") ? read.count("clamp_len", -1, -1) : int64_t{0}, int64_t{0});
  config.activation = read.activation("ff_activation");
  config.summary_activation = read.activation("summary_activation", "tanh");
  config.dropout = read.rate("dropout", 0.1);
  if (read.has("summary_first_dropout")) config.summary_first_dropout = read.rate("summary_first_dropout", 0.0);
  config.summary_last_dropout = read.rate("summary_last_dropout", 0.1);
  config.norm_eps = read.number("layer_norm_eps", 1e-12, 1.0, "a small number, 0 or more");
  config.initializer_range = read.number("initializer_range", 0.02, 1e6, "a standard deviation, 0 or more");
  return config;
}

}  // namespace sft
