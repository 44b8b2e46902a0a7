// Layers with low-rank adapters against torch's operators in float64.
#include "trainer/models/blocks/low_rank.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::distance;
using testing::drawn;
using testing::expect_derivative;
using testing::leaf;

struct Adapted {
  at::Tensor weight, bias, a, b;
  Linear layer;
};

// The weight and the bias do not train.
Adapted adapted(int64_t out, int64_t in, int64_t r, uint64_t seed, double scale, const Dropout& dropout = {}) {
  Adapted made{drawn({out, in}, seed), drawn({out}, seed + 1), leaf({r, in}, seed + 2), leaf({out, r}, seed + 3), {}};
  made.layer = {made.weight, made.bias};
  made.layer.adapter = std::make_shared<const LowRank>(made.a, made.b, scale, dropout);
  return made;
}

// By torch: x may have fallen for the adapter.
at::Tensor composed(const at::Tensor& x, const at::Tensor& fallen, const Adapted& of, double scale) {
  return at::linear(x, of.weight, of.bias) + scale * at::linear(at::linear(fallen, of.a), of.b);
}

std::vector<at::Tensor> gradients(const at::Tensor& sum, const std::vector<at::Tensor>& leaves) {
  for (const at::Tensor& each : leaves) each.mutable_grad() = at::Tensor();
  sum.backward();
  std::vector<at::Tensor> all;
  for (const at::Tensor& each : leaves) all.push_back(each.grad());
  return all;
}

TEST(LowRankAdapter, AddsScaledBAxToValuesAndGradients) {
  const at::Tensor x = leaf({19, 13}, 1), seen = drawn({19, 7}, 2), seen_too = drawn({19, 11}, 3);
  const Adapted one = adapted(7, 13, 3, 10, 2.5), two = adapted(11, 13, 4, 20, 0.25);
  const std::vector<at::Tensor> leaves{x, one.a, one.b, two.a, two.b};
  const auto ours = [&] {
    const auto y = linear(x, {one.layer, two.layer.without_bias()});
    return (y[0] * seen).sum() + (y[1] * y[1] * seen_too).sum();
  };
  const auto torchs = [&] {
    const at::Tensor second = composed(x, x, two, 0.25) - two.bias;
    return (composed(x, x, one, 2.5) * seen).sum() + (second * second * seen_too).sum();
  };
  EXPECT_LT(distance(linear(x, one.layer), composed(x, x, one, 2.5)), 1e-14);
  const auto mine = gradients(ours(), leaves), theirs = gradients(torchs(), leaves);
  for (size_t i = 0; i < leaves.size(); ++i) EXPECT_LT(distance(mine[i], theirs[i]), 1e-12) << "leaf " << i;
  EXPECT_FALSE(one.weight.grad().defined());
  expect_derivative(ours, leaves);
}

TEST(LowRankAdapter, AddsToPresetGradients) {
  const at::Tensor x = drawn({19, 13}, 1);
  const Adapted one = adapted(7, 13, 3, 10, 2.5);
  const auto returned = gradients(linear(x, one.layer).pow(2).sum(), {one.a, one.b});
  one.a.mutable_grad() = at::ones_like(one.a);
  one.b.mutable_grad() = at::ones_like(one.b);
  linear(x, one.layer).pow(2).sum().backward();
  EXPECT_LT(distance(one.a.grad(), returned[0] + 1), 1e-14);
  EXPECT_LT(distance(one.b.grad(), returned[1] + 1), 1e-14);
}

TEST(LowRankAdapter, StandsOnALayerThatTrainsToo) {
  const at::Tensor x = leaf({9, 5}, 1), seen = drawn({9, 6}, 2);
  Adapted one = adapted(6, 5, 2, 10, 3.0);
  one.weight.set_requires_grad(true);
  one.bias.set_requires_grad(true);
  const std::vector<at::Tensor> leaves{x, one.weight, one.bias, one.a, one.b};
  const auto mine = gradients((linear(x, one.layer) * seen).sum(), leaves);
  const auto theirs = gradients((composed(x, x, one, 3.0) * seen).sum(), leaves);
  for (size_t i = 0; i < leaves.size(); ++i) EXPECT_LT(distance(mine[i], theirs[i]), 1e-12) << "leaf " << i;
}

TEST(LowRankAdapter, DropsItsOwnRowsAlone) {
  const Dropout dropout{dropout_key(4, "lora/query"), 0.3};
  const at::Tensor x = leaf({40, 13}, 1), seen = drawn({40, 7}, 2);
  const RowKeys keys{at::arange(40, at::kLong).bitwise_right_shift(3), at::arange(40, at::kLong) & 7};
  const Adapted one = adapted(7, 13, 3, 10, 2.0, dropout);
  const std::vector<at::Tensor> leaves{x, one.a, one.b};
  const auto fallen = [&] { return keyed_dropout(x, dropout.key, keys.draws, keys.positions, dropout.p); };
  EXPECT_GT(distance(fallen(), x), 0.1);
  EXPECT_LT(distance(linear(x, one.layer, keys), composed(x, fallen(), one, 2.0)), 1e-14);
  const auto mine = gradients((linear(x, one.layer, keys) * seen).sum(), leaves);
  const auto theirs = gradients((composed(x, fallen(), one, 2.0) * seen).sum(), leaves);
  for (size_t i = 0; i < leaves.size(); ++i) EXPECT_LT(distance(mine[i], theirs[i]), 1e-12) << "leaf " << i;
  EXPECT_LT(distance(linear(x, one.layer, RowKeys{}), composed(x, x, one, 2.0)), 1e-14) << "evaluation";
  EXPECT_THROW(linear(x, one.layer), std::logic_error) << "nobody said whose rows these are";
}

// As autocast does it, each product rounded.
TEST(LowRankAdapter, MultipliesNarrowlyBetweenWideRows) {
  const auto rounded = [](const at::Tensor& t) { return t.detach().to(at::kBFloat16).to(at::kFloat); };
  const auto wide = [](const at::Tensor& t) { return t.detach().to(at::kFloat).set_requires_grad(true); };
  Adapted one = adapted(30, 50, 8, 10, 0.5);
  const at::Tensor x = wide(drawn({70, 50}, 1)), dy = drawn({70, 30}, 4).to(at::kFloat);
  const at::Tensor a = wide(one.a), b = wide(one.b), w = one.weight.to(at::kFloat);
  Linear layer{w, {}, w.to(at::kBFloat16)};
  layer.adapter = std::make_shared<const LowRank>(a, b, 0.5);

  const at::Tensor y = linear(x, layer);
  EXPECT_EQ(y.scalar_type(), at::kFloat);
  const at::Tensor low = rounded(x).mm(rounded(a).t());
  EXPECT_LT(distance(y, rounded(x).mm(rounded(w).t()) + 0.5 * rounded(low).mm(rounded(b).t())), 6e-3);
  EXPECT_GT(distance(y, x.mm(w.t()) + 0.5 * x.mm(a.t()).mm(b.t())), 1e-3) << "nothing was rounded";
  y.backward(dy);
  const at::Tensor d_low = 0.5 * rounded(dy).mm(rounded(b));
  EXPECT_LT(distance(b.grad(), rounded(dy).t().mm(0.5 * low)), 1e-2);
  EXPECT_LT(distance(a.grad(), d_low.t().mm(rounded(x))), 1e-2);
  EXPECT_LT(distance(x.grad(), rounded(dy).mm(rounded(w)) + d_low.mm(rounded(a))), 1e-2);
  EXPECT_EQ(a.grad().scalar_type(), at::kFloat);
}

// Nothing that grows with the rows stays where no layer on them trains.
TEST(LowRankAdapter, KeepsNoRowsOfFrozenLayers) {
  const auto kept_with = [](bool trains) {
    const at::Tensor weight = drawn({5, 8}, 3), first = leaf({8, 8}, 4);
    at::Tensor rows = linear(drawn({6, 8}, 1), Linear{first, {}});
    Linear layer{weight, {}};
    if (trains) layer.adapter = std::make_shared<const LowRank>(leaf({2, 8}, 5), leaf({5, 2}, 6), 1.0);
    const at::Tensor y = linear(rows, layer);
    return rows.use_count() > 1;
  };
  EXPECT_FALSE(kept_with(false));
  EXPECT_TRUE(kept_with(true));
}

// By every layer that the model names: each takes part in what the model computes.
TEST(Linears, EachIsTheParameterOfItsNameAndTakesPart) {
  struct Of {
    const char* type;
    size_t layers_a_block;
    Reads reads = Reads::first;
  };
  for (const auto& [type, layers_a_block, reads] : {Of{"bert", 6},
                                                    {"roberta", 6},
                                                    {"distilbert", 6},
                                                    {"gpt2", 4, Reads::last},
                                                    {"llama", 7, Reads::last},
                                                    {"qwen2", 7, Reads::last},
                                                    {"qwen3", 7, Reads::last}}) {
    const std::unique_ptr<Model> model = testing::small_model(type);
    const Batch batch = testing::batch_of({5, 3});
    const auto value = [&] {
      const at::NoGradGuard no_graph;
      const Inputs inputs = to_device(batch, at::kCPU, testing::reading_of(reads, batch));
      const at::Tensor rows = testing::forward(*model, inputs, Mode::evaluation);
      return model->has_pooler() ? model->pool(rows, {}) : rows;
    };
    const at::Tensor before = value();
    const Parameters parameters = model->parameters();
    const std::vector<NamedLinear> layers = model->linears();
    EXPECT_EQ(layers.size(), layers_a_block * 3 + (model->has_pooler() ? 1 : 0));
    for (const NamedLinear& named : layers) {
      SCOPED_TRACE(named.name);
      const auto found = std::find_if(parameters.begin(), parameters.end(),
                                      [&](const Parameter& one) { return one.name == named.name + ".weight"; });
      ASSERT_NE(found, parameters.end());
      EXPECT_TRUE(found->value.is_same(named.layer->weight));
      EXPECT_EQ(found->stage, named.stage);
      const int64_t out = named.layer->weight.size(0), in = named.layer->weight.size(1);
      named.layer->adapter = std::make_shared<const LowRank>(drawn({2, in}, 1), drawn({out, 2}, 2), 1.0);
      EXPECT_GT(distance(value(), before), 1e-6);
      named.layer->adapter = nullptr;
    }
    EXPECT_LT(distance(value(), before), 1e-15);

    // Every call of linear() says whose rows it has: the others would throw.
    for (const NamedLinear& named : layers) {
      const int64_t out = named.layer->weight.size(0), in = named.layer->weight.size(1);
      named.layer->adapter = std::make_shared<const LowRank>(drawn({2, in}, 1), drawn({out, 2}, 2), 1.0,
                                                             Dropout{dropout_key(1, named.name), 0.5});
    }
    const Inputs inputs = to_device(batch, at::kCPU, testing::reading_of(reads, batch));
    EXPECT_NO_THROW(testing::forward(*model, inputs, Mode::training));
  }
}

}  // namespace
}  // namespace sft
