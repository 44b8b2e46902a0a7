#include "trainer/models/roberta/roberta.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/ne.h>

#include <optional>
#include <string>

#include "trainer/models/blocks/text_encoder.h"
#include "trainer/models/roberta/roberta_config.h"

namespace sft {
namespace {

std::string architecture_of(const nlohmann::json& content) {
  const std::string type = content["model_type"];
  return type == "xlm-roberta" ? "XLMRoberta" : type == "camembert" ? "Camembert" : "Roberta";
}

// B sequences, N packed rows.
class Roberta final : public TextEncoder {
 public:
  Roberta(const nlohmann::json& content, const RobertaConfig& config, const ModelSettings& settings)
      : TextEncoder(content, config.encoder, {.prefix = "roberta.", .architecture = architecture_of(content)},
                    settings),
        classifier_dropout_(config.classifier_dropout),
        padding_(config.encoder.padding_id) {}

  // The rows up to the padding's own are no positions of text.
  std::optional<TextLimits> text_limits() const override {
    TextLimits limits = *TextEncoder::text_limits();
    limits.max_positions -= padding_ + 1;
    return limits;
  }
  HeadShape token_head() const override { return {.dropout = classifier_dropout_}; }
  HeadShape sequence_head() const override {
    return {.input_dropout = classifier_dropout_,
            .hidden = "classifier.dense",
            .activation = Activation::tanh,
            .dropout = classifier_dropout_,
            .output = "classifier.out_proj"};
  }

 protected:
  // transformers numbers the tokens that are not padding from padding + 1 on, and every padding token is at row
  // `padding`. Packed rows have no padding; a text that spells the token out ("<pad>") has it all the same, and then
  // that token stands at row `padding` and the ones behind it move up, here as there.
  at::Tensor position_rows(const TextInputs& inputs) const override {
    const at::Tensor real_N = at::ne(inputs.tokens_N, padding_).to(at::kLong);
    const at::Tensor before_N = at::cumsum(real_N, 0).sub_(real_N);
    const at::Tensor first_row_N = at::arange(real_N.size(0), real_N.options()).sub_(inputs.positions_N);
    const at::Tensor place_N = before_N - before_N.index_select(0, first_row_N);
    return (place_N + 1).mul_(real_N).add_(padding_);
  }

 private:
  double classifier_dropout_;
  int64_t padding_;
};

}  // namespace

std::unique_ptr<Model> make_roberta(nlohmann::json content, const ModelSettings& settings) {
  const RobertaConfig config = read_roberta_config(content);
  return std::make_unique<Roberta>(content, config, settings);
}

}  // namespace sft
