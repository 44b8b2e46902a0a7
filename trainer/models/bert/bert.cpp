#include "trainer/models/bert/bert.h"

#include <utility>

#include "trainer/models/blocks/text_encoder_config.h"

namespace sft {
namespace {

class Bert final : public TextEncoder {
 public:
  Bert(nlohmann::json content, const EncoderShape& shape, double classifier_dropout, const ModelSettings& settings)
      : TextEncoder(std::move(content), shape, {.prefix = "bert.", .architecture = "Bert"}, settings),
        classifier_dropout_(classifier_dropout) {
    add_pooler("pooler.dense");
  }

  HeadShape sequence_head() const override { return {.dropout = classifier_dropout_}; }

 private:
  double classifier_dropout_;
};

}  // namespace

std::unique_ptr<Model> make_bert(nlohmann::json content, const ModelSettings& settings) {
  const EncoderShape shape = read_text_encoder(content, {.family = "BERT"});
  const double classifier_dropout = read_classifier_dropout(content, shape);
  return std::make_unique<Bert>(std::move(content), shape, classifier_dropout, settings);
}

}  // namespace sft
