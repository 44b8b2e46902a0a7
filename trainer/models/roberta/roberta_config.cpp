#include "trainer/models/roberta/roberta_config.h"

#include "trainer/models/blocks/config_reader.h"
#include "trainer/models/blocks/text_encoder_config.h"

namespace sft {

RobertaConfig read_roberta_config(nlohmann::json& content) {
  RobertaConfig config;
  EncoderShape& encoder = config.encoder;
  encoder = read_text_encoder(
      content,
      {.family = "RoBERTa", .vocab_size = content["model_type"] == "roberta" ? 50265 : 30522, .padding_id = 1});
  // Positions are counted from behind the padding's row, so there must be one.
  ConfigReader read(content);
  encoder.padding_id = read.row("pad_token_id", 1, encoder.vocab_size);
  encoder.padding_position = encoder.padding_id;
  encoder.positions = read.count("max_position_embeddings", 512, encoder.padding_position + 2);
  config.classifier_dropout = read_classifier_dropout(content, encoder);
  return config;
}

}  // namespace sft
