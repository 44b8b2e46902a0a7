#include "trainer/models/bert/bert_config.h"

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"

namespace sft {

BertConfig read_bert_config(nlohmann::json& content) {
  ConfigReader read(content);
  if (read.has("position_embedding_type") && content["position_embedding_type"] != "absolute")
    read.refuse("position_embedding_type", "\"absolute\" (relative ones are not built)");
  read.refuse_unless_false("is_decoder", "false (BERT is built as an encoder)");
  read.refuse_unless_false("add_cross_attention", "false (BERT is built as an encoder)");
  if (read.has("pruned_heads") && !content["pruned_heads"].empty()) read.refuse("pruned_heads", "empty");

  BertConfig config;
  EncoderShape& encoder = config.encoder;
  encoder.vocab_size = read.count("vocab_size", 30522);
  encoder.width = read.count("hidden_size", 768);
  encoder.blocks = read.count("num_hidden_layers", 12, 1, ConfigReader::kMostBlocks);
  encoder.heads = read.count("num_attention_heads", 12);
  encoder.inner = read.count("intermediate_size", 3072);
  encoder.positions = read.count("max_position_embeddings", 512);
  encoder.segments = read.count("type_vocab_size", 2);
  if (encoder.width % encoder.heads != 0)
    read.refuse("hidden_size", concat("a multiple of num_attention_heads (", encoder.heads, ")"));
  encoder.padding_id = read.row_or_none("pad_token_id", 0, encoder.vocab_size);
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
