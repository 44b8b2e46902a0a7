#include "trainer/models/albert/albert.h"

#include <utility>

#include "base/text.h"
#include "trainer/models/blocks/config_reader.h"
#include "trainer/models/blocks/text_encoder_config.h"

namespace sft {
namespace {

const EncoderNames kNames{.prefix = "albert.",
                          .architecture = "Albert",
                          .projection = "encoder.embedding_hidden_mapping_in",
                          .blocks = "encoder.albert_layer_groups.",
                          .behind_number = ".albert_layers.0.",
                          .query = "attention.query",
                          .key = "attention.key",
                          .value = "attention.value",
                          .attention_output = "attention.dense",
                          .attention_norm = "attention.LayerNorm",
                          .intermediate = "ffn",
                          .output = "ffn_output",
                          .output_norm = "full_layer_layer_norm"};

class Albert final : public TextEncoder {
 public:
  Albert(nlohmann::json content, const EncoderShape& shape, double classifier_dropout, const ModelSettings& settings)
      : TextEncoder(std::move(content), shape, kNames, settings), classifier_dropout_(classifier_dropout) {
    add_pooler("pooler");
  }

  HeadShape sequence_head() const override { return {.dropout = classifier_dropout_}; }

 private:
  double classifier_dropout_;
};

}  // namespace

std::unique_ptr<Model> make_albert(nlohmann::json content, const ModelSettings& settings) {
  ConfigReader read(content);
  EncoderShape shape = read_text_encoder(content, {.family = "ALBERT",
                                                   .vocab_size = 30000,
                                                   .width = 4096,
                                                   .heads = 64,
                                                   .inner = 16384,
                                                   .activation = "gelu_new",
                                                   .dropout = 0.0});
  shape.embedding_width = read.count("embedding_size", 128);
  shape.output_dropout = 0.0;  // transformers declares one and does not call it
  const int64_t groups = read.count("num_hidden_groups", 1, 1, shape.blocks);
  if (shape.blocks % groups != 0)
    read.refuse("num_hidden_groups", concat("a divisor of num_hidden_layers (", shape.blocks, ")"));
  shape.blocks_sharing_weights = shape.blocks / groups;
  if (read.count("inner_group_num", 1) != 1) read.refuse("inner_group_num", "1 (others are not built)");
  const double classifier_dropout = read.rate("classifier_dropout_prob", 0.1);
  return std::make_unique<Albert>(std::move(content), shape, classifier_dropout, settings);
}

}  // namespace sft
