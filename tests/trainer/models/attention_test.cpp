// The packed kernels against the same attention composed of ATen's operators, with dropout.
#include "trainer/models/blocks/attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "trainer/models/attention_composed.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::attend_composed;
using testing::distance;
using testing::drawn;
using testing::expect_derivative;

struct Case {
  Case(const std::vector<int64_t>& lengths, int64_t heads, int64_t head_width, bool first_only, double p,
       at::ScalarType dtype = at::kDouble) {
    for (const int64_t length : lengths) {
      offsets.push_back(offsets.back() + length);
      draws.push_back(31 * length + static_cast<int64_t>(draws.size()));
    }
    const int64_t rows = offsets.back(), queries = first_only ? static_cast<int64_t>(lengths.size()) : rows;
    q = drawn({queries, heads * head_width}, 1, dtype).set_requires_grad(true);
    k = drawn({rows, heads * head_width}, 2, dtype).set_requires_grad(true);
    v = drawn({rows, heads * head_width}, 3, dtype).set_requires_grad(true);
    seen = drawn(q.sizes(), 4, dtype);
    attention = {heads,  &offsets, at::tensor(draws, at::kLong), first_only, {dropout_key(9, "attention.self", 1), p},
                 nullptr};
  }

  // The result and the gradients of q, k, v.
  template <class Function>
  std::vector<at::Tensor> run(Function&& function) const {
    for (const at::Tensor& leaf : {q, k, v}) leaf.mutable_grad() = at::Tensor();
    const at::Tensor out = function(q, k, v, attention);
    (out * seen).sum().backward();
    return {out.detach(), q.grad(), k.grad(), v.grad()};
  }

  std::vector<int64_t> offsets{0}, draws;
  at::Tensor q, k, v, seen;
  Attention attention;
};

void expect_agreement(const Case& with, double tolerance) {
  const auto ours = with.run(attend), composed = with.run(attend_composed);
  const char* const names[] = {"out", "dq", "dk", "dv"};
  for (size_t i = 0; i < ours.size(); ++i) EXPECT_LT(distance(ours[i], composed[i]), tolerance) << names[i];
}

TEST(PackedAttention, EqualsComposedAttentionAtAnyLengthWidthAndRate) {
  for (const double p : {0.0, 0.25}) {
    expect_agreement(Case({5, 1, 12, 31, 5}, 3, 8, false, p), 1e-12);
    expect_agreement(Case({33, 16, 17}, 2, 5, false, p), 1e-12);
    expect_agreement(Case({128, 129, 64}, 2, 32, false, p), 1e-12);
    expect_agreement(Case({200}, 1, 64, false, p), 1e-12);
    expect_agreement(Case({5, 1, 12, 31, 140}, 3, 20, true, p), 1e-12);
  }
}

TEST(PackedAttention, InFloatIsWithinRoundingOfDouble) {
  for (const bool first_only : {false, true}) {
    expect_agreement(Case({82, 12, 1, 128}, 4, 32, first_only, 0.1, at::kFloat), 2e-6);
  }
}

TEST(PackedAttention, GradientIsTheDerivative) {
  for (const bool first_only : {false, true}) {
    const Case with({7, 1, 18}, 2, 6, first_only, 0.3);
    expect_derivative([&] { return (attend(with.q, with.k, with.v, with.attention) * with.seen).sum(); },
                      {with.q, with.k, with.v});
  }
}

TEST(PackedAttention, LargeScoresOverflowNothing) {
  Case with({40, 3}, 2, 16, false, 0.0, at::kFloat);
  with.q.detach().mul_(1000);
  expect_agreement(with, 1e-3);
  for (const at::Tensor& value : with.run(attend)) EXPECT_TRUE(value.isfinite().all().item<bool>());
}

TEST(PackedAttention, HasTheSameBitsOnAnyNumberOfThreads) {
  const Case with({30, 12, 55, 8, 8, 20}, 4, 16, false, 0.2, at::kFloat);
  at::set_num_threads(1);
  const auto one = with.run(attend);
  at::set_num_threads(3);
  const auto three = with.run(attend);
  at::set_num_threads(1);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(three[i])) << i;
}

}  // namespace
}  // namespace sft
