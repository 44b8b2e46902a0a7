#include "trainer/models/marian/marian.h"

#include <ATen/TensorOperators.h>

#include <utility>

#include "trainer/models/blocks/post_norm_pair.h"
#include "trainer/models/blocks/sinusoidal.h"

namespace sft {
namespace {

PostNormConfig read_marian_config(nlohmann::json& content) {
  ConfigReader read(content);
  read.refuse_unless_false("normalize_embedding", "false (that variant of Marian is not built)");
  return read_post_norm_config(
      read, {.vocab_size = 58101, .padding_id = 58100, .start_id = 58100, .may_have_two_tables = true});
}

class Marian final : public PostNormPair {
 public:
  Marian(nlohmann::json content, const PostNormConfig& config, const ModelSettings& settings)
      : PostNormPair(std::move(content), config, "MarianMTModel", settings),
        positions_PC_(sinusoidal_positions(config.positions, config.width, options())) {
    ParameterBuilder build = builder();
    for (const Side side : {Side::source, Side::target}) {
      make_words(build, side);
      make_blocks(build, side);
    }
  }

  // Positions are computed, and stand in old files.
  std::string canonical(const std::string& file_name) const override {
    return file_name.ends_with("embed_positions.weight") ? "" : PostNormPair::canonical(file_name);
  }

 protected:
  at::Tensor placed(Side, const at::Tensor& words_NC, const TextInputs& inputs) const override {
    return words_NC + positions_PC_.index_select(0, inputs.positions_N);
  }

 private:
  at::Tensor positions_PC_;
};

}  // namespace

std::unique_ptr<Model> make_marian(nlohmann::json content, const ModelSettings& settings) {
  const PostNormConfig config = read_marian_config(content);
  return std::make_unique<Marian>(std::move(content), config, settings);
}

}  // namespace sft
