#include "trainer/models/distilbert/distilbert_config.h"

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"

namespace sft {

DistilBertConfig read_distilbert_config(nlohmann::json& content) {
  ConfigReader read(content);
  if (read.has("pruned_heads") && !content["pruned_heads"].empty()) read.refuse("pruned_heads", "empty");

  DistilBertConfig config;
  EncoderShape& encoder = config.encoder;
  encoder.vocab_size = read.count("vocab_size", 30522);
  encoder.width = read.count("dim", 768);
  encoder.blocks = read.count("n_layers", 6, 1, ConfigReader::kMostBlocks);
  encoder.heads = read.count("n_heads", 12);
  encoder.inner = read.count("hidden_dim", 4 * 768);
  encoder.positions = read.count("max_position_embeddings", 512);
  if (encoder.width % encoder.heads != 0) read.refuse("dim", concat("a multiple of n_heads (", encoder.heads, ")"));
  encoder.padding_id = read.row_or_none("pad_token_id", 0, encoder.vocab_size);
  encoder.activation = read.activation("activation");
  encoder.hidden_dropout = read.rate("dropout", 0.1);
  encoder.attention_dropout = read.rate("attention_dropout", 0.1);
  config.seq_classif_dropout = read.rate("seq_classif_dropout", 0.2);
  config.qa_dropout = read.rate("qa_dropout", 0.1);
  config.sinusoidal_pos_embds = read.flag("sinusoidal_pos_embds", false);
  encoder.initializer_range = read.number("initializer_range", 0.02, 1e6, "a standard deviation, 0 or more");
  return config;
}

}  // namespace sft
