// The head of many words beside torch's cross_entropy of logits that are all kept.
#include "trainer/models/blocks/token_loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::distance;
using testing::drawn;

struct Case {
  at::Tensor x, weight;
  std::vector<int64_t> targets;
  std::vector<float> weights;
};

// As many words as leave a few rows to a piece: the 40 rows are several pieces, the last of them short.
constexpr int64_t kWords = 600'001, kWidth = 5, kRows = 40;

Case drawn_case(int64_t words, at::ScalarType type) {
  Case one{drawn({kRows, kWidth}, 1, type), drawn({words, kWidth}, 2, type), {}, {}};
  for (int64_t m = 0; m < kRows; ++m) {
    one.targets.push_back((m * 7919 + 3) % words);
    one.weights.push_back(m % 5 == 0 ? 0.0f : 0.25f * static_cast<float>(m % 4 + 1));
  }
  one.x.set_requires_grad(true);
  one.weight.set_requires_grad(true);
  return one;
}

at::Tensor by_torch(const Case& one, double smoothing) {
  const at::Tensor targets = at::tensor(one.targets, at::kLong), weights = at::tensor(one.weights, at::kDouble);
  const at::Tensor losses = at::cross_entropy_loss(at::linear(one.x, one.weight), targets, {}, at::Reduction::None,
                                                   /*ignore_index=*/-100, smoothing);
  return (losses * weights.to(losses.scalar_type())).sum();
}

void expect_like_torch(int64_t words, at::ScalarType type, double smoothing, double tolerance, bool preset) {
  const Case ours = drawn_case(words, type), theirs = drawn_case(words, type);
  constexpr double kTotal = 37;
  if (preset) ours.weight.mutable_grad() = at::ones_like(ours.weight);
  const at::Tensor sum = token_loss_sum(ours.x, {ours.weight, smoothing}, ours.targets, ours.weights, kTotal);
  (sum / kTotal).backward();
  const at::Tensor expected = by_torch(theirs, smoothing);
  (expected / kTotal).backward();
  EXPECT_LT(std::abs(sum.item<double>() / expected.item<double>() - 1), tolerance);
  EXPECT_LT(distance(ours.x.grad(), theirs.x.grad()), tolerance);
  const at::Tensor d_weight = preset ? ours.weight.grad() - 1 : ours.weight.grad();
  EXPECT_LT(distance(d_weight, theirs.weight.grad()), preset ? 1e3 * tolerance : tolerance);
}

TEST(TokenLoss, IsTorchsOverManyPieces) {
  ASSERT_LT(rows_a_piece(kWords, at::kCPU, at::kDouble), kRows / 2);
  for (const double smoothing : {0.0, 0.1}) expect_like_torch(kWords, at::kDouble, smoothing, 1e-11, false);
  expect_like_torch(kWords, at::kDouble, 0.1, 1e-11, true);
}

TEST(TokenLoss, IsTorchsForAnyNumberOfWords) {
  for (const int64_t words : {2, 7, 16, 33, 1000}) {
    expect_like_torch(words, at::kDouble, 0.2, 1e-12, false);
    expect_like_torch(words, at::kFloat, 0.2, 1e-5, true);
  }
}

TEST(TokenLoss, AddsABiasOfTheWords) {
  const Case ours = drawn_case(33, at::kDouble), theirs = drawn_case(33, at::kDouble);
  const at::Tensor bias = drawn({33}, 3), targets = at::tensor(ours.targets, at::kLong),
                   weights = at::tensor(ours.weights, at::kDouble);
  const TokenHead head{.weight_VC = ours.weight, .bias_V = bias};
  const at::Tensor sum = token_loss_sum(ours.x, head, ours.targets, ours.weights, 2);
  (sum / 2).backward();
  const at::Tensor logits = at::linear(theirs.x, theirs.weight, bias);
  const at::Tensor expected = (at::cross_entropy_loss(logits, targets, {}, at::Reduction::None) * weights).sum();
  (expected / 2).backward();
  EXPECT_NEAR(sum.item<double>(), expected.item<double>(), 1e-11);
  EXPECT_LT(distance(ours.x.grad(), theirs.x.grad()), 1e-12);
  EXPECT_LT(distance(ours.weight.grad(), theirs.weight.grad()), 1e-12);
  EXPECT_LT(distance(token_logits(ours.x.detach(), head), logits.detach()), 1e-12);
  EXPECT_EQ(token_scores(ours.x.detach(), head, ours.targets).best[7], logits[7].argmax().item<int64_t>());
}

TEST(TokenLoss, OfNoRowsIsNothingAndHasAGraph) {
  const at::Tensor x = at::zeros({0, kWidth}, at::kDouble).requires_grad_(), weight = drawn({9, kWidth}, 2);
  weight.mutable_grad() = at::Tensor();
  at::Tensor leaf = weight.clone().requires_grad_();
  const at::Tensor sum = token_loss_sum(x, {leaf, 0.0}, {}, {}, 5);
  (sum / 5).backward();
  EXPECT_EQ(sum.item<double>(), 0.0);
  EXPECT_EQ(leaf.grad().abs().sum().item<double>(), 0.0);
}

// A frozen head costs no product for its gradient, and gets none.
TEST(TokenLoss, GivesAFrozenHeadNoGradient) {
  const Case one = drawn_case(50, at::kDouble);
  one.weight.detach().set_requires_grad(false);
  const at::Tensor frozen = one.weight.detach();
  (token_loss_sum(one.x, {frozen, 0.0}, one.targets, one.weights, 2) / 2).backward();
  EXPECT_TRUE(one.x.grad().defined());
  EXPECT_FALSE(frozen.grad().defined());
}

TEST(TokenLoss, RefusesABackwardPassOfAnotherQuotient) {
  const Case one = drawn_case(50, at::kDouble);
  EXPECT_THROW((token_loss_sum(one.x, {one.weight, 0.0}, one.targets, one.weights, 2) / 3).backward(),
               std::logic_error);
}

TEST(TokenLoss, FindsTheLikeliestWordAndTheSurprise) {
  const Case one = drawn_case(1000, at::kDouble);
  const TokenScores scores = token_scores(one.x.detach(), {one.weight}, one.targets);
  const at::Tensor likely = at::log_softmax(at::linear(one.x, one.weight), 1).detach();
  for (int64_t m = 0; m < kRows; ++m) {
    const auto i = static_cast<size_t>(m);
    EXPECT_EQ(scores.best[i], likely[m].argmax().item<int64_t>());
    EXPECT_NEAR(scores.surprise[i], -likely[m][one.targets[i]].item<double>(), 1e-12);
  }
}

// A head that files hold in bfloat16, in one panel and in several.
TEST(TokenLoss, TakesANarrowHeadAsIfItWereWidened) {
  for (const int64_t words : {int64_t{1000}, int64_t{2'000'003}}) {
    const Case one = drawn_case(words, at::kFloat), same = drawn_case(words, at::kFloat);
    const at::Tensor narrow = one.weight.detach().to(at::kBFloat16), wide = narrow.to(at::kFloat);
    const at::Tensor sum = token_loss_sum(one.x, {narrow, 0.1}, one.targets, one.weights, 2);
    const at::Tensor expected = token_loss_sum(same.x, {wide, 0.1}, one.targets, one.weights, 2);
    (sum / 2).backward();
    (expected / 2).backward();
    EXPECT_NEAR(sum.item<double>() / expected.item<double>(), 1, 1e-6);
    EXPECT_LT(distance(one.x.grad(), same.x.grad()), 1e-5);  // sums of two million products, in two orders
    EXPECT_EQ(token_scores(one.x.detach(), {narrow}, one.targets).best,
              token_scores(one.x.detach(), {wide}, one.targets).best);
  }
}

}  // namespace
}  // namespace sft
