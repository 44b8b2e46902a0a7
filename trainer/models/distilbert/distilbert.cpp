#include "trainer/models/distilbert/distilbert.h"

#include <ATen/ops/empty.h>

#include <cmath>
#include <utility>

#include "trainer/models/blocks/text_encoder.h"
#include "trainer/models/distilbert/distilbert_config.h"

namespace sft {
namespace {

const EncoderNames kNames{.prefix = "distilbert.",
                          .architecture = "DistilBert",
                          .blocks = "transformer.layer.",
                          .query = "attention.q_lin",
                          .key = "attention.k_lin",
                          .value = "attention.v_lin",
                          .attention_output = "attention.out_lin",
                          .attention_norm = "sa_layer_norm",
                          .intermediate = "ffn.lin1",
                          .output = "ffn.lin2",
                          .output_norm = "output_layer_norm"};

// Vaswani et al. (2017), 3.5: sin and cos of pos / 10000^(2 ⌊j/2⌋ / C), in double as transformers computes them.
at::Tensor sinusoids(int64_t positions, int64_t channels) {
  at::Tensor table_PC = at::empty({positions, channels}, at::kFloat);
  float* value = table_PC.data_ptr<float>();
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t j = 0; j < channels; ++j) {
      const double power = 2.0 * static_cast<double>(j / 2) / static_cast<double>(channels);
      const double angle = static_cast<double>(position) / std::pow(10000.0, power);
      *value++ = static_cast<float>(j % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  }
  return table_PC;
}

class DistilBert final : public TextEncoder {
 public:
  DistilBert(nlohmann::json content, const DistilBertConfig& config, const ModelSettings& settings)
      : TextEncoder(std::move(content), config.encoder, kNames, settings), config_(config) {
    if (config.sinusoidal_pos_embds)
      tables().position_PC.detach().copy_(sinusoids(config.encoder.positions, config.encoder.width));
  }

  HeadShape token_head() const override { return {.dropout = config_.encoder.hidden_dropout}; }
  HeadShape sequence_head() const override {
    return {.hidden = "pre_classifier", .activation = Activation::relu, .dropout = config_.seq_classif_dropout};
  }
  HeadShape output_head(const std::string& name) const override {
    return {.dropout = config_.qa_dropout, .output = name};
  }

 private:
  DistilBertConfig config_;
};

}  // namespace

std::unique_ptr<Model> make_distilbert(nlohmann::json content, const ModelSettings& settings) {
  const DistilBertConfig config = read_distilbert_config(content);
  return std::make_unique<DistilBert>(std::move(content), config, settings);
}

}  // namespace sft
