#include "trainer/models/t5/t5_config.h"

#include <string>

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"

namespace sft {
namespace {

// "relu", "gated-gelu", …: the gelu of gated layers is the one by tanh.
void read_mlp(ConfigReader& read, nlohmann::json& content, const char* otherwise, T5Config& config) {
  constexpr const char* kKey = "feed_forward_proj";
  constexpr std::string_view kGated = "gated-";
  const nlohmann::json& found = content.emplace(kKey, otherwise).first.value();
  if (!found.is_string()) read.refuse(kKey, "a name");
  auto name = found.get<std::string>();
  config.is_gated = name.starts_with(kGated);
  if (config.is_gated) name = name.substr(kGated.size());
  config.activation = config.is_gated && name == "gelu" ? Activation::gelu_tanh : activation_named(name, kKey);
}

// transformers 5 writes scale_decoder_outputs, and ties the output layer always; 4 told T5 1.0 by the tie.
bool scales_output(ConfigReader& read, const nlohmann::json& content) {
  if (content["model_type"] != "t5") return false;
  if (read.has("scale_decoder_outputs")) return read.flag("scale_decoder_outputs", true);
  return !read.has("tie_word_embeddings") || read.flag("tie_word_embeddings", true);
}

}  // namespace

T5Config read_t5_config(nlohmann::json& content) {
  ConfigReader read(content);
  if (read.has("quantization_config")) read.refuse("quantization_config", "absent (quantized weights are not built)");
  if (read.has("is_encoder_decoder") && !read.flag("is_encoder_decoder", true))
    read.refuse("is_encoder_decoder", "true (one side alone is not built)");

  T5Config config;
  const bool is_multilingual = config.is_multilingual = content["model_type"] == "mt5";
  config.vocab_size = read.count("vocab_size", is_multilingual ? 250112 : 32128);
  config.width = read.count("d_model", 512);
  config.head_width = read.count("d_kv", 64);
  config.inner = read.count("d_ff", is_multilingual ? 1024 : 2048);
  config.heads = read.count("num_heads", is_multilingual ? 6 : 8);
  config.encoder_blocks = read.count("num_layers", is_multilingual ? 8 : 6, 1, ConfigReader::kMostBlocks);
  config.decoder_blocks = read.has("num_decoder_layers")
                              ? read.count("num_decoder_layers", 0, 1, ConfigReader::kMostBlocks)
                              : config.encoder_blocks;
  config.buckets = read.count("relative_attention_num_buckets", 32, 4);
  config.max_distance = read.count("relative_attention_max_distance", 128, config.buckets / 2 + 1);
  read_mlp(read, content, is_multilingual ? "gated-gelu" : "relu", config);
  config.dropout = read.rate("dropout_rate", 0.1);
  config.norm_eps = read.number("layer_norm_epsilon", 1e-6, 1.0, "a small number, 0 or more");
  config.initializer_factor = read.number("initializer_factor", 1.0, 1e6, "a factor, 0 or more");
  config.scales_output = scales_output(read, content);
  const int64_t padding = read.has("pad_token_id") ? read.row("pad_token_id", 0, config.vocab_size) : 0;
  config.start_id =
      read.has("decoder_start_token_id") ? read.row("decoder_start_token_id", 0, config.vocab_size) : padding;
  return config;
}

}  // namespace sft
