// Which layers get adapters, what they start as, what merging gives.
#include "trainer/adapters/low_rank_adapters.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "trainer/adapters/target_modules.h"
#include "trainer/models/model.h"

namespace sft {
namespace {

std::unique_ptr<Model> tiny_bert() {
  return make_model({{"model_type", "bert"},
                     {"vocab_size", 30},
                     {"hidden_size", 8},
                     {"num_hidden_layers", 2},
                     {"num_attention_heads", 2},
                     {"intermediate_size", 12},
                     {"max_position_embeddings", 16},
                     {"type_vocab_size", 2}},
                    {.dtype = at::kDouble, .seed = 1});
}

StringList names_of(const std::vector<NamedLinear>& layers) {
  StringList names;
  for (const NamedLinear& layer : layers) names.push_back(layer.name);
  return names;
}

std::string refusal(const StringList& wanted) {
  const auto model = tiny_bert();
  try {
    find_targets(wanted, model->linears());
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(TargetModules, AreEndsOfNamesBehindADot) {
  const auto model = tiny_bert();
  EXPECT_EQ(names_of(find_targets({"query"}, model->linears())),
            (StringList{"bert.encoder.layer.0.attention.self.query", "bert.encoder.layer.1.attention.self.query"}));
  EXPECT_EQ(names_of(find_targets({"layer.1.output.dense", "pooler.dense"}, model->linears())),
            (StringList{"bert.encoder.layer.1.output.dense", "bert.pooler.dense"}));
  EXPECT_EQ(find_targets({"all-linear"}, model->linears()).size(), 13);
  EXPECT_EQ(find_targets({"dense"}, model->linears()).size(), 7);
  EXPECT_EQ(usual_target_modules("bert"), (StringList{"query", "value"}));
  EXPECT_EQ(usual_target_modules("deberta-v2"), (StringList{"query_proj", "value_proj"}));
  EXPECT_THROW(usual_target_modules("resnet"), ConfigError);
}

TEST(TargetModules, ThatFindNothingAreToldWithTheNearest) {
  EXPECT_NE(refusal({"query", "vale"}).find("'vale' is the end of no layer's name (did you mean 'value'?)"),
            std::string::npos)
      << refusal({"query", "vale"});
  EXPECT_NE(refusal({"uery"}).find("query, key, value, dense"), std::string::npos) << refusal({"uery"});
  EXPECT_THROW(find_targets({"all-linear"}, {}), ConfigError);
}

TEST(LowRankAdapters, StartAsPeftsFromSeedAndNameAlone) {
  const auto model = tiny_bert(), other = tiny_bert();
  const LoraConfig config{.r = 400, .lora_alpha = 3};
  const Parameters all =
      put_adapters(find_targets({"all-linear"}, model->linears()), config, at::kDouble, 7, 8).parameters();
  const Parameters few =
      put_adapters(find_targets({"value"}, other->linears()), config, at::kDouble, 7, 8).parameters();
  ASSERT_EQ(all.size(), 26);
  EXPECT_EQ(all[4].name, "bert.encoder.layer.0.attention.self.value.lora_A.weight");
  EXPECT_EQ(all[5].name, "bert.encoder.layer.0.attention.self.value.lora_B.weight");
  EXPECT_TRUE(all[4].value.equal(few[0].value));
  EXPECT_FALSE(all[4].value.equal(all[2].value));
  EXPECT_FALSE(few[0].value.equal(few[2].value));
  for (const Parameter& parameter : all) {
    if (parameter.name.ends_with("lora_B.weight")) {
      EXPECT_EQ(parameter.value.abs().max().item<double>(), 0) << parameter.name;
      continue;
    }
    // U(−1/√in, 1/√in): the greatest of 3,200 numbers and more is near the bound, the deviation bound / √3.
    const double bound = 1 / std::sqrt(static_cast<double>(parameter.value.size(1)));
    EXPECT_LE(parameter.value.abs().max().item<double>(), bound) << parameter.name;
    EXPECT_GT(parameter.value.abs().max().item<double>(), 0.99 * bound) << parameter.name;
    EXPECT_NEAR(parameter.value.std().item<double>(), bound / std::sqrt(3.0), 0.03 * bound) << parameter.name;
  }
}

TEST(LowRankAdapters, ScaleByAlphaOverRankOrItsRoot) {
  EXPECT_DOUBLE_EQ((LoraConfig{.r = 4, .lora_alpha = 12}.scale()), 3);
  EXPECT_DOUBLE_EQ((LoraConfig{.r = 4, .lora_alpha = 12, .use_rslora = true}.scale()), 6);
}

TEST(LowRankAdapters, MergedGiveTheSameAsBesideTheWeights) {
  const auto model = tiny_bert();
  const LowRankAdapters adapters = put_adapters(find_targets({"pooler.dense", "key"}, model->linears()),
                                                {.r = 3, .lora_alpha = 12}, at::kDouble, 7, 8);
  for (const AdaptedLayer& adapted : adapters.layers) at::Tensor(adapted.low_rank->b).normal_();
  const Parameters before = model->parameters();
  Parameters after = before;
  for (Parameter& parameter : after)
    for (const AdaptedLayer& adapted : adapters.layers)
      if (parameter.name == adapted.layer.name + ".weight")
        parameter.value = merged(parameter.value, *adapted.low_rank);
  int moved = 0;
  for (size_t i = 0; i < before.size(); ++i) moved += before[i].value.equal(after[i].value) ? 0 : 1;
  EXPECT_EQ(moved, 3);
  const at::Tensor x = at::randn({5, 8}, at::kDouble);
  const at::NoGradGuard no_graph;
  const at::Tensor beside = model->pool(x, {});
  for (const NamedLinear& layer : model->linears()) layer.layer->adapter = nullptr;
  EXPECT_GT((beside - model->pool(x, {})).abs().max().item<double>(), 1e-3);
  for (size_t i = 0; i < before.size(); ++i) at::Tensor(before[i].value).copy_(after[i].value);
  EXPECT_LT((beside - model->pool(x, {})).abs().max().item<double>(), 1e-13);
}

}  // namespace
}  // namespace sft
