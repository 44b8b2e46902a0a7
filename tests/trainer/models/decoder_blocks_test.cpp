// The blocks of pre-norm decoders against ATen's operators: RMS norms, rotary positions, gated activations.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/variable.h>

#include "trainer/models/blocks/gated_mlp.h"
#include "trainer/models/blocks/rms_norm.h"
#include "trainer/models/blocks/rotary.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::distance;
using testing::drawn;
using testing::leaf;

// Value and gradients of two functions of the same leaves.
void expect_same(const std::function<at::Tensor()>& ours, const std::function<at::Tensor()>& theirs,
                 const std::vector<at::Tensor>& leaves, double tolerance) {
  const auto gradients = [&](const auto& f) {
    for (const at::Tensor& each : leaves) each.mutable_grad() = at::Tensor();
    const at::Tensor value = f();
    (value * drawn(value.sizes(), 99, value.scalar_type())).sum().backward();
    std::vector<at::Tensor> all{value.detach()};
    for (const at::Tensor& each : leaves) all.push_back(each.grad());
    return all;
  };
  const auto a = gradients(ours), b = gradients(theirs);
  for (size_t i = 0; i < a.size(); ++i) EXPECT_LT(distance(a[i], b[i]), tolerance) << (i == 0 ? "value" : "leaf ") << i;
}

at::Tensor composed_norm(const at::Tensor& x, const RmsNorm& norm) {
  return x * at::rsqrt(x.pow(2).mean({-1}, true) + norm.eps) * norm.weight;
}

TEST(RmsNorm, IsItsFormulaInBothDirections) {
  for (const auto& [type, tolerance] : {std::pair{at::kDouble, 1e-14}, {at::kFloat, 1e-6}}) {
    const at::Tensor x = leaf({150, 21}, 1, type);
    const RmsNorm norm{leaf({21}, 2, type), 1e-3};
    expect_same([&] { return rms_norm(x, norm); }, [&] { return composed_norm(x, norm); }, {x, norm.weight}, tolerance);
  }
}

TEST(RmsNorm, WithItsResidualIsTheSumAndTheNormOfTheSum) {
  const at::Tensor x = leaf({150, 21}, 1), residual = leaf({150, 21}, 2);
  const RmsNorm norm{leaf({21}, 3), 1e-5};
  const auto ours = [&] {
    const NormedSum both = add_rms_norm(x, residual, norm);
    return at::cat({both.sum * 0.7, both.normed});
  };
  const auto theirs = [&] { return at::cat({(x + residual) * 0.7, composed_norm(x + residual, norm)}); };
  expect_same(ours, theirs, {x, residual, norm.weight}, 1e-14);
  expect_same([&] { return add_rms_norm(x, residual, norm).normed; }, [&] { return composed_norm(x + residual, norm); },
              {x, residual, norm.weight}, 1e-14);
  x.mutable_grad() = at::Tensor();
  add_rms_norm(x, residual, norm).sum.sum().backward();
  EXPECT_TRUE(x.grad().eq(1.0).all().item<bool>()) << "where nobody reads the norm";
}

TEST(RmsNorm, AddsTheGradientOfItsWeightToOneThatIsThere) {
  const at::Tensor x = drawn({150, 21}, 1), weight = leaf({21}, 2);
  rms_norm(x, {weight}).sum().backward();
  const at::Tensor once = weight.grad();
  const at::Tensor preset = at::ones_like(weight);
  weight.mutable_grad() = preset;
  rms_norm(x, {weight}).sum().backward();
  EXPECT_TRUE(weight.grad().is_same(preset));
  EXPECT_LT(distance(preset, 1 + once), 1e-14);
}

// Pairs are the halves of a head's width, as points of the plane that multiplication by e^(i · angle) turns.
at::Tensor turned(const at::Tensor& x, const at::Tensor& positions, const RotaryRule& rule) {
  const int64_t half = rule.head_width / 2;
  const at::Tensor angles = positions.to(at::kFloat).unsqueeze(1) * rotary_frequencies(rule);
  const at::Tensor turn = at::complex(angles.cos().to(at::kDouble), angles.sin().to(at::kDouble)).unsqueeze(1);
  const at::Tensor heads = x.view({x.size(0), -1, 2, half});
  const at::Tensor y = at::view_as_real(at::complex(heads.select(2, 0), heads.select(2, 1)) * turn);
  return y.permute({0, 1, 3, 2}).reshape_as(x);
}

TEST(Rotary, TurnsTheHalvesOfEachHeadByPositionTimesFrequency) {
  const RotaryRule rule{.head_width = 10, .theta = 100.0};
  RotaryTable table(rule, at::kDouble);
  const at::Tensor q = leaf({70, 30}, 1), k = leaf({90, 20}, 2);
  const at::Tensor of_q = at::arange(20, 90), of_k = at::arange(90);
  expect_same([&] { return rotate(q, k, of_q, of_k, table.up_to(90)).q; }, [&] { return turned(q, of_q, rule); }, {q},
              1e-14);
  expect_same([&] { return rotate(q, k, of_q, of_k, table.up_to(90)).k; }, [&] { return turned(k, of_k, rule); }, {k},
              1e-14);
}

TEST(Rotary, TablesGrowAndKeepTheirBits) {
  RotaryTable table({.head_width = 8}, at::kFloat), at_once({.head_width = 8}, at::kFloat);
  const at::Tensor small = table.up_to(10).sines.clone();
  const at::Tensor large = table.up_to(5000).sines;
  EXPECT_GE(large.size(0), 5000);
  EXPECT_TRUE(large.narrow(0, 0, small.size(0)).equal(small));
  EXPECT_TRUE(at_once.up_to(5000).sines.equal(large));
}

TEST(Rotary, FrequenciesAreScaledAsTheRuleSays) {
  RotaryRule rule{.head_width = 64, .theta = 500000.0};
  const at::Tensor plain = rotary_frequencies(rule);
  for (int64_t c = 0; c < 32; ++c)
    EXPECT_NEAR(plain[c].item<double>() * std::pow(500000.0, static_cast<double>(c) / 32), 1.0, 1e-6);
  rule.scaling = RotaryScaling::linear;
  rule.factor = 4;
  EXPECT_LT(distance(rotary_frequencies(rule) * 4, plain), 1e-7);

  rule.scaling = RotaryScaling::llama3;
  rule.factor = 8;
  rule.original_positions = 8192;
  const at::Tensor scaled = rotary_frequencies(rule);
  for (int64_t c = 0; c < 32; ++c) {
    const double frequency = plain[c].item<double>(), turns = 8192 * frequency / (2 * M_PI);
    const double share = std::clamp((turns - 1) / (4 - 1), 0.0, 1.0);  // between the two factors
    EXPECT_NEAR(scaled[c].item<double>() / (frequency * (share + (1 - share) / 8)), 1.0, 1e-5) << c;
  }
}

TEST(GatedMlp, IsTheActivationOfTheGateTimesTheOther) {
  for (const auto& [type, tolerance] : {std::pair{at::kDouble, 1e-14}, {at::kFloat, 1e-6}}) {
    const at::Tensor gate = leaf({301, 37}, 1, type), up = leaf({301, 37}, 2, type);
    expect_same([&] { return gated(Activation::silu, gate, up); }, [&] { return at::silu(gate) * up; }, {gate, up},
                tolerance);
    expect_same([&] { return gated(Activation::gelu_tanh, gate, up); }, [&] { return at::gelu(gate, "tanh") * up; },
                {gate, up}, tolerance);
  }
  const at::Tensor far = at::tensor({-1e4, -200.0, -90.0, 0.0, 90.0, 200.0, 1e4}, at::kFloat).view({1, 7});
  EXPECT_TRUE(gated(Activation::silu, far, at::ones_like(far)).isfinite().all().item<bool>());
}

}  // namespace
}  // namespace sft
