#include "trainer/models/roberta/roberta_config.h"

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"

namespace sft {

RobertaConfig read_roberta_config(nlohmann::json& content) {
  ConfigReader read(content);
  if (read.has("position_embedding_type") && content["position_embedding_type"] != "absolute")
    read.refuse("position_embedding_type", "\"absolute\" (relative ones are not built)");
  read.refuse_unless_false("is_decoder", "false (RoBERTa is built as an encoder)");
  read.refuse_unless_false("add_cross_attention", "false (RoBERTa is built as an encoder)");

  RobertaConfig config;
  EncoderShape& encoder = config.encoder;
  encoder.vocab_size = read.count("vocab_size", content["model_type"] == "roberta" ? 50265 : 30522);
  encoder.width = read.count("hidden_size", 768);
  encoder.blocks = read.count("num_hidden_layers", 12, 1, ConfigReader::kMostBlocks);
  encoder.heads = read.count("num_attention_heads", 12);
  encoder.inner = read.count("intermediate_size", 3072);
  encoder.segments = read.count("type_vocab_size", 2);
  if (encoder.width % encoder.heads != 0)
    read.refuse("hidden_size", concat("a multiple of num_attention_heads (", encoder.heads, ")"));
  // Positions are counted from behind the padding's row, so there must be one.
  encoder.padding_id = read.row("pad_token_id", 1, encoder.vocab_size);
  encoder.padding_position = encoder.padding_id;
  encoder.positions = read.count("max_position_embeddings", 512, encoder.padding_position + 2);
  encoder.activation = read.activation("hidden_act");
  encoder.hidden_dropout = read.rate("hidden_dropout_prob", 0.1);
  encoder.attention_dropout = read.rate("attention_probs_dropout_prob", 0.1);
  config.classifier_dropout =
      read.has("classifier_dropout") ? read.rate("classifier_dropout", 0.0) : encoder.hidden_dropout;
  encoder.initializer_range = read.number("initializer_range", 0.02, 1e6, "a standard deviation, 0 or more");
  encoder.norm_eps = read.number("layer_norm_eps", 1e-12, 1.0, "a small number, 0 or more");
  return config;
}

}  // namespace sft
