#include "trainer/models/modernbert/modernbert_config.h"

#include <string>

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"
#include "trainer/models/blocks/rotary_decoder_config.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr const char *kFull = "full_attention", *kSliding = "sliding_attention";

// "layer_types" of transformers 5, else every n-th block has no window, from the first one on.
std::vector<int64_t> read_windows(json& content, int64_t blocks) {
  ConfigReader read(content);
  const int64_t window = read.count("local_attention", 128, 2) / 2;
  std::vector<int64_t> windows;
  if (!read.has("layer_types")) {
    const int64_t every = read.count("global_attn_every_n_layers", 3);
    for (int64_t i = 0; i < blocks; ++i) windows.push_back(i % every == 0 ? 0 : window);
    return windows;
  }
  const json& types = content["layer_types"];
  if (!types.is_array() || static_cast<int64_t>(types.size()) != blocks)
    read.refuse("layer_types", concat("a list of num_hidden_layers (", blocks, ") names"));
  for (const json& type : types) {
    if (type != kFull && type != kSliding) read.refuse("layer_types", concat(kFull, " or ", kSliding, " everywhere"));
    windows.push_back(type == kFull ? 0 : window);
  }
  return windows;
}

// "rope_parameters" of transformers 5 by type of layer, where an angle's base that it lacks, and all of it in older
// files, is what `old_key` says.
RotaryRule read_rule(json& content, const char* type, const char* old_key, double theta, int64_t head_width,
                     int64_t positions) {
  ConfigReader read(content);
  json rope = json::object();
  if (read.has("rope_parameters")) {
    const json& by_type = content["rope_parameters"];
    const auto found = by_type.is_object() ? by_type.find(type) : by_type.end();
    if (!by_type.is_object() || (found != by_type.end() && !found->is_object() && !found->is_null()))
      read.refuse("rope_parameters", concat("an object with a rule for each of ", kFull, " and ", kSliding));
    if (found != by_type.end() && found->is_object()) rope = *found;
  }
  if (!rope.contains("rope_theta")) {
    rope["rope_theta"] = read.number(old_key, theta, 1e15, "a number above 0");
    if (rope["rope_theta"] == 0) read.refuse(old_key, "a number above 0");
  }
  json one = {{"rope_parameters", rope}};
  return read_rotary(one, head_width, positions);
}

}  // namespace

ModernBertConfig read_modernbert_config(json& content) {
  ConfigReader read(content);
  if (read.has("rope_scaling")) read.refuse("rope_scaling", "absent (rope_parameters says it by type of layer)");
  ModernBertConfig config;
  config.vocab_size = read.count("vocab_size", 50368);
  config.width = read.count("hidden_size", 768);
  config.inner = read.count("intermediate_size", 1152);
  config.blocks = read.count("num_hidden_layers", 22, 1, ConfigReader::kMostBlocks);
  config.heads = read.count("num_attention_heads", 12);
  config.positions = read.count("max_position_embeddings", 8192);
  if (config.width % config.heads != 0 || config.width / config.heads % 2 != 0)
    read.refuse("hidden_size", concat("an even multiple of num_attention_heads (", config.heads, ")"));
  config.padding_id = read.row_or_none("pad_token_id", 50283, config.vocab_size);
  config.windows = read_windows(content, config.blocks);
  const int64_t head_width = config.width / config.heads;
  config.full = read_rule(content, kFull, "global_rope_theta", 160000.0, head_width, config.positions);
  config.sliding = read_rule(content, kSliding, "local_rope_theta", 10000.0, head_width, config.positions);
  config.attention_bias = read.flag("attention_bias", false);
  config.mlp_bias = read.flag("mlp_bias", false);
  config.norm_bias = read.flag("norm_bias", false);
  config.classifier_bias = read.flag("classifier_bias", false);
  config.activation = read.activation("hidden_activation");
  config.classifier_activation = read.activation("classifier_activation");
  config.embedding_dropout = read.rate("embedding_dropout", 0.0);
  config.attention_dropout = read.rate("attention_dropout", 0.0);
  config.mlp_dropout = read.rate("mlp_dropout", 0.0);
  config.classifier_dropout = read.rate("classifier_dropout", 0.0);
  const json& pooling = content.emplace("classifier_pooling", "cls").first.value();
  if (pooling != "cls" && pooling != "mean") read.refuse("classifier_pooling", "\"cls\" or \"mean\"");
  config.reads_mean = pooling == "mean";
  config.norm_eps = read.number("norm_eps", 1e-5, 1.0, "a small number, 0 or more");
  config.initializer_range = read.number("initializer_range", 0.02, 1e6, "a standard deviation, 0 or more");
  // transformers takes 3 where the file says null.
  const bool has_none = content.contains("initializer_cutoff_factor") && !read.has("initializer_cutoff_factor");
  config.initializer_cutoff =
      has_none ? 3.0 : read.number("initializer_cutoff_factor", 2.0, 1e6, "a number of standard deviations, 0 or more");
  return config;
}

}  // namespace sft
