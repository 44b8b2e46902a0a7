// DeBERTa-v2's names, distances and refusals; what it shares with others is in text_models_test.cpp.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/errors.h"
#include "trainer/adapters/low_rank_adapters.h"
#include "trainer/adapters/target_modules.h"
#include "trainer/models/blocks/disentangled_attention.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::batch_of;
using testing::distance;
using testing::drawn;
using testing::forward;
using testing::small_config;
using testing::small_model;

TEST(DebertaV2, NamesAndHeadsAreThoseOfTransformers) {
  const auto model = small_model("deberta-v2");
  const Parameters parameters = model->parameters();
  ASSERT_EQ(parameters.size(), 2u + 2 + 3 * 16 + 3) << "no positions, and no pooler in the base model";
  EXPECT_EQ(parameters[1].name, "deberta.embeddings.token_type_embeddings.weight");
  EXPECT_EQ(parameters[4].name, "deberta.encoder.rel_embeddings.weight");
  EXPECT_EQ(parameters[4].value.sizes(), at::IntArrayRef({16, 20}));
  EXPECT_EQ(parameters[6].name, "deberta.encoder.LayerNorm.bias");
  EXPECT_EQ(parameters[7].name, "deberta.encoder.layer.0.attention.self.query_proj.weight");
  EXPECT_TRUE(std::ranges::is_sorted(parameters, {}, &Parameter::stage));
  EXPECT_FALSE(model->has_pooler());
  EXPECT_EQ(model->sequence_head().hidden, "pooler.dense");
  EXPECT_EQ(model->sequence_head().activation, Activation::gelu);
  EXPECT_EQ(model->token_head().hidden, "");
  EXPECT_EQ(model->canonical("pooler.dense.weight"), "pooler.dense.weight");
  EXPECT_EQ(model->canonical("encoder.rel_embeddings.weight"), "deberta.encoder.rel_embeddings.weight");
  EXPECT_EQ(model->text_limits()->max_positions, TextLimits::kUnlimited);
  EXPECT_EQ(model->architecture("ForTokenClassification"), "DebertaV2ForTokenClassification");
}

// transformers' build_relative_position for 4 buckets up to a distance of 16, and for none.
TEST(DebertaV2, DistancesAreOneUpToHalfTheBucketsAndThenByTheLogarithm) {
  const at::Tensor rows = DistanceRows{.span = 4, .buckets = 4, .farthest = 16}.of_length(9);
  const std::vector<int64_t> found(rows.data_ptr<int64_t>(), rows.data_ptr<int64_t>() + rows.numel());
  EXPECT_EQ(found, (std::vector<int64_t>{1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7}));
  const at::Tensor plain = DistanceRows{.span = 3}.of_length(5);
  EXPECT_TRUE(plain.equal(at::tensor(std::vector<int64_t>{0, 0, 1, 2, 3, 4, 5, 5, 5})));
}

// An adapter all of whose rows fall gives nothing, neither for contents nor for distances.
TEST(DebertaV2, DropoutOfAdaptersFallsOnRowsOfTheTableWhereTheModelHasNone) {
  nlohmann::json config = small_config("deberta-v2");
  config["hidden_dropout_prob"] = config["attention_probs_dropout_prob"] = 0.0;
  const Inputs inputs = to_device(batch_of({5, 9}), at::kCPU);
  for (const char* target : {"query_proj", "key_proj"}) {
    const auto model = make_model(config, {.dtype = at::kDouble, .seed = 5});
    const at::Tensor plain = forward(*model, inputs, Mode::evaluation);
    const LowRankAdapters adapters =
        put_adapters(find_targets({target}, model->linears()), {.r = 2, .lora_dropout = 1 - 1e-7}, at::kDouble, 1, 2);
    for (const Parameter& parameter : adapters.parameters())
      parameter.value.set_data(drawn(parameter.value.sizes(), 7));
    EXPECT_GT(distance(forward(*model, inputs, Mode::evaluation), plain), 1e-3) << target;
    EXPECT_LT(distance(forward(*model, inputs, Mode::training), plain), 1e-12) << target;
  }
}

TEST(DebertaV2, ATableOfDistancesBeyondMemoryIsRefused) {
  nlohmann::json config = small_config("deberta-v2");
  config.update({{"hidden_size", 8000}, {"position_buckets", -1}, {"max_relative_positions", 1 << 24}});
  try {
    make_model(config, {.seed = 0});
    FAIL() << "a table of a terabyte";
  } catch (const ConfigError& error) {
    const std::string found = error.what();
    EXPECT_NE(found.find("config.json: a vocabulary of 50, 33554432 distances, 0 positions and 3 layers of 8000 and "),
              std::string::npos)
        << found;
    EXPECT_NE(found.find(" make weights of "), std::string::npos) << found;
  }
}

TEST(DebertaV2, WhatIsNotBuiltIsRefusedByName) {
  const auto refused = [](const char* key, const nlohmann::json& value, const char* part) {
    testing::expect_refused("deberta-v2", key, value, part);
  };
  refused("relative_attention", false, "relative_attention must be true");
  refused("share_att_key", false, "share_att_key must be true");
  refused("conv_kernel_size", 3, "conv_kernel_size must be 0 (the convolution of v2-xlarge is not built), found 3");
  refused("pos_att_type", "p2c|c2c", "pos_att_type must be made of c2p and p2c, found \"p2c|c2c\"");
  refused("embedding_size", 12, "embedding_size must be 20 (others are not built), found 12");
  refused("pooler_hidden_size", 12, "pooler_hidden_size must be 20 (others are not built), found 12");
  refused("position_buckets", 2, "position_buckets must be 4 or more, or -1 for none, found 2");
  refused("model_type", "deberta", "'deberta' is not built");
}

}  // namespace
}  // namespace sft
