// What ranks hold of gradients and of the optimizer's state changes memory and nothing else: whole runs, with frozen
// blocks, adapters, uneven shares, penalties and accumulation, beside those that hold everything everywhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "equivalence/variants.h"

namespace sft::equivalence {
namespace {

Case named(const std::string& name) {
  const auto all = cases();
  const auto found = std::ranges::find(all, name, &Case::name);
  EXPECT_NE(found, all.end()) << name;
  return *found;
}

class Strategies : public testing::TestWithParam<const char*> {};

TEST_P(Strategies, ChangeNoLossNoNormAndNoWeight) {
  Case job = named(GetParam());
  // Of weights whose gradient is zero, as keys' biases, rounding decides the sign.
  job.penalty = {.l1 = job.name == "llama_tied" ? 1e-4 : 0, .l2 = 1e-3};
  const Outcome expected = run(job, {1, 0});
  std::vector<Cut> cuts{
      {.ranks = 3, .strategy = "zero1"}, {.ranks = 4, .strategy = "zero2"}, {.ranks = 3, .strategy = "zero3"}};
  if (job.micro_batches_are_free)
    for (const char* strategy : {"zero2", "zero3"})
      cuts.push_back({.ranks = 2, .max_samples = 1, .strategy = strategy});
  for (const Cut& cut : cuts) {
    SCOPED_TRACE(testing::PrintToString(cut));
    const Outcome actual = run(job, cut);
    EXPECT_EQ(actual.ids, expected.ids);
    EXPECT_LE(worst(actual.losses, expected.losses), 1e-12);
    EXPECT_LE(worst(actual.norms, expected.norms), 1e-12);
    EXPECT_LE(worst(actual.evaluation, expected.evaluation), 1e-12);
    for (size_t i = 0; i < expected.weights.size(); ++i)
      EXPECT_LE(worst(actual.weights[i].second, expected.weights[i].second), 1e-12) << expected.weights[i].first;
  }
}

INSTANTIATE_TEST_SUITE_P(SomeCases, Strategies,
                         testing::Values("bert_pooler", "bert_last_blocks", "bert_adapters_all_linear", "llama_tied",
                                         "resnet_one_big_batch"),
                         [](const auto& enrolled) { return std::string(enrolled.param); });

// A stage's weights are there when it reads them, whatever it is made of.
class Zero3Families : public testing::TestWithParam<const char*> {};

TEST_P(Zero3Families, TrainTheSameWeights) {
  Case job = named(GetParam());
  job.updates = 8;
  const Outcome expected = run(job, {1, 0}), actual = run(job, {.ranks = 3, .strategy = "zero3"});
  EXPECT_LE(worst(actual.losses, expected.losses), 1e-12);
  EXPECT_LE(worst(actual.norms, expected.norms), 1e-12);
  EXPECT_LE(worst(actual.evaluation, expected.evaluation), 1e-12);
}

INSTANTIATE_TEST_SUITE_P(Families, Zero3Families,
                         testing::Values("distilbert_head_alone_mean", "modernbert", "electra", "albert",
                                         "albert_adapters", "xlnet", "vit", "dinov2_last_blocks", "vgg_frozen_norms",
                                         "segformer_one_big_batch", "qwen3_untied_smoothed_sgd", "gpt2_last_block",
                                         "qwen2_classifier"),
                         [](const auto& enrolled) { return std::string(enrolled.param); });

// deterministic = true with ZeRO-1: the tree of whole gradients is summed as before.
TEST(DeterministicStrategies, KeepTheSameBitsOnAnyNumberOfRanks) {
  Case job = named("bert_pooler");
  job.in_double = false;
  job.updates = 7;
  const Outcome one = run(job, {1, 0, 8});
  for (const int ranks : {2, 4}) {
    const Outcome other = run(job, {.ranks = ranks, .parts = 8, .strategy = "zero1"});
    EXPECT_EQ(other.losses, one.losses) << ranks << " ranks";
    EXPECT_EQ(other.norms, one.norms) << ranks << " ranks";
    for (size_t i = 0; i < one.weights.size(); ++i)
      EXPECT_EQ(other.weights[i].second, one.weights[i].second) << one.weights[i].first << ", " << ranks << " ranks";
  }
}

}  // namespace
}  // namespace sft::equivalence
