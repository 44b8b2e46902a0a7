// The fused blocks against ATen's operators, and gradients written in place against those that autograd returns.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/variable.h>

#include "base/errors.h"
#include "trainer/models/blocks/activation.h"
#include "trainer/models/blocks/add_norm.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/embedding.h"
#include "trainer/models/blocks/gradient.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::distance;
using testing::drawn;
using testing::expect_derivative;
using testing::leaf;

// Gradients of `leaves` as autograd returns them, twice as they are added to preset ones, and how often hooks ran.
void expect_in_place_like_returned(const std::function<at::Tensor()>& f, const std::vector<at::Tensor>& leaves) {
  struct Count : torch::autograd::PostAccumulateGradHook {
    explicit Count(int& times) : times_(times) {}
    void operator()(const torch::autograd::Variable&) override { ++times_; }
    int& times_;
  };
  for (const at::Tensor& each : leaves) each.mutable_grad() = at::Tensor();
  f().backward();
  std::vector<at::Tensor> returned;
  std::vector<int> times(leaves.size());
  for (size_t i = 0; i < leaves.size(); ++i) {
    returned.push_back(leaves[i].grad());
    leaves[i].mutable_grad() = at::ones_like(leaves[i]);
    torch::autograd::impl::set_post_acc_grad_hooks(leaves[i], std::make_unique<Count>(times[i]));
  }
  const at::Tensor before = leaves[0].grad();
  f().backward();
  f().backward();
  EXPECT_TRUE(before.is_same(leaves[0].grad())) << "the preset gradient was replaced";
  for (size_t i = 0; i < leaves.size(); ++i) {
    EXPECT_LT(distance(leaves[i].grad(), 1 + 2 * returned[i]), 1e-14) << "leaf " << i;
    EXPECT_EQ(times[i], 2) << "leaf " << i;
    torch::autograd::impl::set_post_acc_grad_hooks(leaves[i], nullptr);
  }
}

TEST(LinearLayers, AreTheirProductsAndSumTheGradientOfX) {
  const at::Tensor x = leaf({7, 5}, 1), w1 = leaf({3, 5}, 2), b1 = leaf({3}, 3), w2 = leaf({4, 5}, 4);
  const at::Tensor s1 = drawn({7, 3}, 5), s2 = drawn({7, 4}, 6);
  const auto both = linear(x, {{w1, b1}, {w2, {}}});
  EXPECT_LT(distance(both[0], at::linear(x, w1, b1)), 1e-15);
  EXPECT_LT(distance(both[1], at::linear(x, w2)), 1e-15);
  const auto f = [&] {
    const auto y = linear(x, {{w1, b1}, {w2, {}}});
    return (y[0] * s1).sum() + (y[1] * s2 * y[1]).sum();
  };
  expect_derivative(f, {x, w1, b1, w2});
  expect_in_place_like_returned(f, {w1, b1, w2});
}

// Both factors of each of the three products rounded to bfloat16, and the products too; the bias is not.
TEST(LinearLayers, MultiplyNarrowlyBetweenWideRows) {
  const auto rounded = [](const at::Tensor& t) { return t.detach().to(at::kBFloat16).to(at::kFloat); };
  const auto wide = [](const at::Tensor& t) { return t.to(at::kFloat).set_requires_grad(true); };
  const at::Tensor x = wide(drawn({70, 50}, 1)), w = wide(drawn({30, 50}, 2)), b = wide(drawn({30}, 3));
  const at::Tensor dy = drawn({70, 30}, 4).to(at::kFloat);
  const Linear layer{w, b, w.detach().to(at::kBFloat16)};

  const at::Tensor y = linear(x, layer);
  EXPECT_EQ(y.scalar_type(), at::kFloat);
  const at::Tensor product = rounded(x).mm(rounded(w).t());
  EXPECT_LT(distance(y, rounded(product) + b), 2e-3);
  EXPECT_GT(distance(y, x.detach().mm(w.detach().t()) + b), 1e-3) << "nothing was rounded";

  w.mutable_grad() = at::ones_like(w);
  y.backward(dy);
  EXPECT_LT(distance(x.grad(), rounded(dy).mm(rounded(w))), 4e-3);
  EXPECT_LT(distance(w.grad(), 1 + rounded(dy).t().mm(rounded(x))), 4e-3);
  EXPECT_EQ(w.grad().scalar_type(), at::kFloat);
  EXPECT_LT(distance(b.grad(), dy.sum(0)), 1e-6);
}

TEST(LinearLayers, AFrozenLayerGetsNoGradient) {
  const at::Tensor x = leaf({7, 5}, 1), w = drawn({3, 5}, 2), b = leaf({3}, 3);
  linear(x, {w, b}).sum().backward();
  EXPECT_FALSE(w.grad().defined());
  EXPECT_TRUE(b.grad().defined());
}

TEST(AddNorm, IsLayerNormOfDropoutPlusResidual) {
  const int64_t rows = 150, width = 21;
  const at::Tensor x = leaf({rows, width}, 1), bias = leaf({width}, 2), residual = leaf({rows, width}, 3);
  const LayerNorm norm{leaf({width}, 4), leaf({width}, 5), 1e-5};
  const at::Tensor draws = at::arange(rows, at::kLong).bitwise_right_shift(3),
                   positions = at::arange(rows, at::kLong) & 7, seen = drawn({rows, width}, 6);
  for (const double p : {0.0, 0.3}) {
    const Dropout dropout{dropout_key(4, "output", 2), p};
    const auto ours = [&] { return (add_norm(x, bias, residual, norm, dropout, draws, positions) * seen).sum(); };
    const auto composed = [&] {
      const at::Tensor sum = keyed_dropout(x + bias, dropout.key, draws, positions, p) + residual;
      return (at::layer_norm(sum, {width}, norm.weight, norm.bias, norm.eps) * seen).sum();
    };
    const std::vector<at::Tensor> leaves{x, bias, residual, norm.weight, norm.bias};
    const auto gradients = [&](const auto& f) {
      for (const at::Tensor& each : leaves) each.mutable_grad() = at::Tensor();
      f().backward();
      std::vector<at::Tensor> all;
      for (const at::Tensor& each : leaves) all.push_back(each.grad());
      return all;
    };
    EXPECT_LT(distance(ours(), composed()), 1e-13);
    const auto a = gradients(ours), b = gradients(composed);
    for (size_t i = 0; i < a.size(); ++i) EXPECT_LT(distance(a[i], b[i]), 1e-13) << "leaf " << i << " at rate " << p;
    expect_in_place_like_returned(ours, {bias, norm.weight, norm.bias});
  }
}

TEST(Activation, EachIsTorchsOwnWithItsBias) {
  const at::Tensor x = leaf({70, 37}, 1), bias = leaf({37}, 2), seen = drawn({70, 37}, 3);
  for (const char* name : {"gelu", "gelu_new", "relu", "silu", "tanh", "sigmoid", "quick_gelu", "mish"}) {
    SCOPED_TRACE(name);
    expect_derivative([&] { return (activate(activation_named(name), x, bias) * seen).sum(); }, {x, bias}, 1e-6);
  }
  EXPECT_LT(distance(activate(Activation::gelu, x, bias), at::gelu(x + bias)), 1e-15);
  EXPECT_LT(distance(activate(Activation::gelu_tanh, x, bias), at::gelu(x + bias, "tanh")), 1e-15);
}

TEST(Activation, GeluInFloatIsWithinRoundingOfDouble) {
  const at::Tensor x = at::linspace(-12, 12, 16 * 5003, at::kDouble).view({-1, 16}),
                   bias = at::zeros({16}, at::kDouble);
  const at::Tensor xf = x.to(at::kFloat).set_requires_grad(true),
                   xd = xf.detach().to(at::kDouble).set_requires_grad(true);
  const at::Tensor yf = activate(Activation::gelu, xf, bias.to(at::kFloat)), yd = at::gelu(xd);
  yf.sum().backward();
  yd.sum().backward();
  EXPECT_LT((yf.to(at::kDouble) - yd).abs().max().item<double>(), 1e-6);
  EXPECT_LT((xf.grad().to(at::kDouble) - xd.grad()).abs().max().item<double>(), 5e-7);
}

TEST(Activation, GeluAddsUpItsBiasGradientInPlace) {
  const at::Tensor x = leaf({200, 37}, 1), bias = leaf({37}, 2), seen = drawn({200, 37}, 3);
  expect_in_place_like_returned([&] { return (activate(Activation::gelu, x, bias) * seen).sum(); }, {bias});
}

TEST(Activation, AnUnknownOneIsRefusedByName) {
  try {
    activation_named("gelo");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("'gelo' is not built (did you mean 'gelu'?)"), std::string::npos)
        << error.what();
  }
}

TEST(Embedding, AddsRowsInPlaceAndLeavesThePaddingRow) {
  const at::Tensor word = leaf({9, 6}, 1), position = leaf({5, 6}, 2), segment = leaf({2, 6}, 3),
                   seen = drawn({5, 6}, 4);
  const at::Tensor tokens = at::tensor({3, 0, 3, 8, 1}, at::kLong), positions = at::tensor({0, 1, 2, 0, 1}, at::kLong);
  const at::Tensor segments = at::tensor({0, 0, 1, 0, 1}, at::kLong);
  const EmbeddingTables tables{word, position, segment, -1};
  const auto f = [&] { return (embed(tables, tokens, positions, segments) * seen).sum(); };
  expect_derivative(f, {word, position, segment});
  expect_in_place_like_returned(f, {word, position, segment});

  word.mutable_grad() = at::Tensor();
  (embed({word, position, segment, 0}, tokens, positions, segments) * seen).sum().backward();
  EXPECT_EQ(word.grad()[0].abs().sum().item<double>(), 0.0);
  EXPECT_LT(distance(word.grad()[3], seen[0] + seen[2]), 1e-15);

  // What a tied output layer gave to the padding's row stays.
  word.mutable_grad() = at::ones_like(word);
  (embed({word, position, segment, 0}, tokens, positions, segments) * seen).sum().backward();
  EXPECT_TRUE(word.grad()[0].eq(1.0).all().item<bool>());
  EXPECT_LT(distance(word.grad()[3], 1 + seen[0] + seen[2]), 1e-15);
}

TEST(Embedding, AnIdOutsideOfTheTableIsAnError) {
  const at::Tensor word = leaf({9, 6}, 1), position = leaf({5, 6}, 2), segment = leaf({2, 6}, 3);
  const at::Tensor zero = at::zeros({1}, at::kLong);
  EXPECT_ANY_THROW(embed({word, position, segment, -1}, at::full({1}, 9, at::kLong), zero, zero));
}

}  // namespace
}  // namespace sft
