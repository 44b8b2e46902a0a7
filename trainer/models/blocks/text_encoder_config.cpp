#include "trainer/models/blocks/text_encoder_config.h"

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"

namespace sft {

EncoderShape read_text_encoder(nlohmann::json& content, const TextEncoderDefaults& defaults) {
  ConfigReader read(content);
  if (read.has("position_embedding_type") && content["position_embedding_type"] != "absolute")
    read.refuse("position_embedding_type", "\"absolute\" (relative ones are not built)");
  for (const char* key : {"is_decoder", "add_cross_attention"})
    read.refuse_unless_false(key, concat("false (", defaults.family, " is built as an encoder)"));
  if (read.has("pruned_heads") && !content["pruned_heads"].empty()) read.refuse("pruned_heads", "empty");

  EncoderShape encoder;
  encoder.vocab_size = read.count("vocab_size", defaults.vocab_size);
  encoder.width = read.count("hidden_size", defaults.width);
  encoder.blocks = read.count("num_hidden_layers", defaults.blocks, 1, ConfigReader::kMostBlocks);
  encoder.heads = read.count("num_attention_heads", defaults.heads);
  encoder.inner = read.count("intermediate_size", defaults.inner);
  encoder.positions = read.count("max_position_embeddings", 512);
  encoder.segments = read.count("type_vocab_size", defaults.segments, defaults.least_segments);
  if (encoder.width % encoder.heads != 0)
    read.refuse("hidden_size", concat("a multiple of num_attention_heads (", encoder.heads, ")"));
  encoder.padding_id = read.row_or_none("pad_token_id", defaults.padding_id, encoder.vocab_size);
  encoder.activation = read.activation("hidden_act", defaults.activation);
  encoder.hidden_dropout = read.rate("hidden_dropout_prob", defaults.dropout);
  encoder.attention_dropout = read.rate("attention_probs_dropout_prob", defaults.dropout);
  encoder.initializer_range = read.number("initializer_range", 0.02, 1e6, "a standard deviation, 0 or more");
  encoder.norm_eps = read.number("layer_norm_eps", defaults.norm_eps, 1.0, "a small number, 0 or more");
  return encoder;
}

double read_classifier_dropout(nlohmann::json& content, const EncoderShape& encoder) {
  ConfigReader read(content);
  return read.has("classifier_dropout") ? read.rate("classifier_dropout", 0.0) : encoder.hidden_dropout;
}

}  // namespace sft
