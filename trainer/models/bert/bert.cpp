#include "trainer/models/bert/bert.h"

#include <ATen/ops/tanh.h>

#include <utility>

#include "trainer/models/blocks/text_encoder_config.h"

namespace sft {
namespace {

// B sequences, C channels.
class Bert final : public TextEncoder {
 public:
  Bert(nlohmann::json content, const EncoderShape& shape, double classifier_dropout, const ModelSettings& settings)
      : TextEncoder(std::move(content), shape, {.prefix = "bert.", .architecture = "Bert"}, settings),
        classifier_dropout_(classifier_dropout),
        pooler_(builder().linear("pooler.dense", width(), width(), pooler_stage())) {}

  bool has_pooler() const override { return true; }
  at::Tensor pool(const at::Tensor& first_BC, const RowKeys& keys) override {
    return at::tanh(linear(first_BC, pooler_, keys));
  }
  std::vector<NamedLinear> linears() override {
    std::vector<NamedLinear> all = TextEncoder::linears();
    all.push_back({.name = "bert.pooler.dense", .layer = &pooler_, .stage = pooler_stage()});
    return all;
  }
  HeadShape sequence_head() const override { return {.dropout = classifier_dropout_}; }

 private:
  double classifier_dropout_;
  Linear pooler_;
};

}  // namespace

std::unique_ptr<Model> make_bert(nlohmann::json content, const ModelSettings& settings) {
  const EncoderShape shape = read_text_encoder(content, {.family = "BERT"});
  const double classifier_dropout = read_classifier_dropout(content, shape);
  return std::make_unique<Bert>(std::move(content), shape, classifier_dropout, settings);
}

}  // namespace sft
