// N packed rows of a side, C channels, P positions.
#include "trainer/models/bart/bart.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/layer_norm.h>

#include <utility>

#include "base/text.h"
#include "trainer/models/blocks/post_norm_pair.h"

namespace sft {
namespace {

constexpr int64_t kFirstPosition = 2;  // rows that no token reads: fairseq had padding there

class Bart final : public PostNormPair {
 public:
  Bart(nlohmann::json content, const PostNormConfig& config, const ModelSettings& settings)
      : PostNormPair(std::move(content), config, "BartForConditionalGeneration", settings) {
    ParameterBuilder build = builder();
    for (const Side side : {Side::source, Side::target}) {
      make_words(build, side);
      Positions& positions = of(side);
      const std::string name = name_of(side);
      const int stage = stage_of(side, -1);
      positions.table.word_VC =
          build.table(name + "embed_positions", config.positions + kFirstPosition, config.width, -1, stage);
      positions.norm = build.norm(name + "layernorm_embedding", config.width, kNormEps, stage);
      make_blocks(build, side);
    }
  }

 protected:
  at::Tensor placed(Side side, const at::Tensor& words_NC, const TextInputs& inputs) const override {
    const Positions& positions = side == Side::source ? source_ : target_;
    const at::Tensor rows_N = inputs.positions_N + kFirstPosition;
    const at::Tensor sum_NC = words_NC + embed(positions.table, rows_N, inputs.positions_N, inputs.segments_N);
    return at::layer_norm(sum_NC, {width()}, positions.norm.weight, positions.norm.bias, positions.norm.eps);
  }

 private:
  struct Positions {
    EmbeddingTables table;  // its "words" are positions
    LayerNorm norm;         // of the sum with the words
  };
  Positions& of(Side side) { return side == Side::source ? source_ : target_; }

  Positions source_, target_;
};

}  // namespace

std::unique_ptr<Model> make_bart(nlohmann::json content, const ModelSettings& settings) {
  ConfigReader read(content);
  const PostNormConfig config = read_post_norm_config(read, {.vocab_size = 50265, .padding_id = 1, .start_id = 2});
  return std::make_unique<Bart>(std::move(content), config, settings);
}

}  // namespace sft
