#include "trainer/models/electra/electra.h"

#include <utility>

#include "trainer/models/blocks/config_reader.h"
#include "trainer/models/blocks/text_encoder_config.h"

namespace sft {
namespace {

// BERT's network without a pooler. Where embeddings are as wide as the blocks there is no projection.
class Electra final : public TextEncoder {
 public:
  Electra(nlohmann::json content, const EncoderShape& shape, double classifier_dropout, const ModelSettings& settings)
      : TextEncoder(std::move(content), shape,
                    {.prefix = "electra.",
                     .architecture = "Electra",
                     .projection = shape.embedding_width > 0 ? "embeddings_project" : ""},
                    settings),
        classifier_dropout_(classifier_dropout) {}

  HeadShape token_head() const override { return {.dropout = classifier_dropout_}; }
  HeadShape sequence_head() const override {
    return {.input_dropout = classifier_dropout_,
            .hidden = "classifier.dense",
            .activation = Activation::gelu,
            .dropout = classifier_dropout_,
            .output = "classifier.out_proj"};
  }

 private:
  double classifier_dropout_;
};

}  // namespace

std::unique_ptr<Model> make_electra(nlohmann::json content, const ModelSettings& settings) {
  EncoderShape shape = read_text_encoder(content, {.family = "ELECTRA", .width = 256, .heads = 4, .inner = 1024});
  const int64_t embedding_width = ConfigReader(content).count("embedding_size", 128);
  if (embedding_width != shape.width) shape.embedding_width = embedding_width;
  const double classifier_dropout = read_classifier_dropout(content, shape);
  return std::make_unique<Electra>(std::move(content), shape, classifier_dropout, settings);
}

}  // namespace sft
