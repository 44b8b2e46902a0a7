// Masks as the model draws them, beside torch's: how often they drop, and that no two entries along any axis know of
// each other. A mask that entries share would leave every mean alone, and show in a run as noise that is too large.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "trainer/models/blocks/add_norm.h"
#include "trainer/models/blocks/attention.h"
#include "trainer/models/blocks/dropout.h"

namespace sft {
namespace {

constexpr int64_t kUpdates = 16, kSamples = 8, kTokens = 12, kChannels = 160, kHeads = 4;
constexpr double kRate = 0.3;

// One dropout of the model: its masks, 1 where an entry stays, with an axis for all that may be correlated.
struct Site {
  std::string name;
  std::vector<std::string> axes;
  std::function<at::Tensor()> masks;
};

// The rows of an update: draws and positions, [B · T] each.
struct Rows {
  at::Tensor draws, positions;
};
Rows rows_of(int64_t update) {
  const at::Tensor draws = at::arange(update * kSamples, (update + 1) * kSamples, at::kLong);
  return {draws.repeat_interleave(kTokens), at::arange(kTokens, at::kLong).repeat({kSamples})};
}

at::Tensor of_updates(const std::function<at::Tensor(int64_t)>& mask_of, at::IntArrayRef shape) {
  std::vector<at::Tensor> all;
  for (int64_t update = 0; update < kUpdates; ++update) all.push_back(mask_of(update).view(shape));
  return at::stack(all).to(at::kDouble);
}

at::Tensor embeddings() {
  const at::Tensor ones = at::ones({kSamples * kTokens, kChannels});
  return of_updates(
      [&](int64_t update) {
        const Rows rows = rows_of(update);
        return keyed_dropout(ones, dropout_key(7, "embeddings"), rows.draws, rows.positions, kRate).ne(0);
      },
      {kSamples, kTokens, kChannels});
}

// Zeros in place of what fell leave the norm below zero, what stays above.
at::Tensor outputs(const char* place) {
  const at::Tensor ones = at::ones({kSamples * kTokens, kChannels}), none = at::zeros({kChannels});
  const LayerNorm norm{at::ones({kChannels}), none, 1e-5};
  return of_updates(
      [&](int64_t update) {
        const Rows rows = rows_of(update);
        return add_norm(ones, none, at::zeros_like(ones), norm, {dropout_key(7, place, 2), kRate}, rows.draws,
                        rows.positions)
            .gt(0);
      },
      {kSamples, kTokens, kChannels});
}

// Keys that all score alike, with values that tell them apart: the result is the mask's row, key by key.
at::Tensor attention() {
  const at::Tensor q = at::zeros({kSamples * kTokens, kHeads * kTokens});
  const at::Tensor v = at::eye(kTokens).repeat({kSamples, kHeads});
  std::vector<int64_t> offsets;
  for (int64_t b = 0; b <= kSamples; ++b) offsets.push_back(b * kTokens);
  return of_updates(
      [&](int64_t update) {
        Attention asked{.heads = kHeads, .key_heads = kHeads, .queries = &offsets, .keys = &offsets, .dropout = {}};
        asked.draws_B = at::arange(update * kSamples, (update + 1) * kSamples, at::kLong);
        asked.dropout = {dropout_key(7, "attention.self", 1), kRate};
        return attend(q, q, v, asked).ne(0);
      },
      {kSamples, kTokens, kHeads, kTokens});
}

at::Tensor head() {
  const at::Tensor ones = at::ones({kSamples, kChannels});
  return of_updates(
      [&](int64_t update) {
        const at::Tensor draws = at::arange(update * kSamples, (update + 1) * kSamples, at::kLong);
        return keyed_dropout(ones, dropout_key(7, "head"), draws, at::zeros_like(draws), kRate).ne(0);
      },
      {kSamples, kChannels});
}

std::vector<Site> sites() {
  const std::vector<std::string> rows{"updates", "samples", "tokens", "channels"};
  return {{"embeddings", rows, embeddings},
          {"attention", {"updates", "samples", "queries", "heads", "keys"}, attention},
          {"the output of attention", rows, [] { return outputs("attention.output"); }},
          {"the output of a block", rows, [] { return outputs("output"); }},
          {"the head", {"updates", "samples", "channels"}, head}};
}

// The mean correlation of the pairs of entries along an axis, in its standard errors. n entries that are independent
// have a sum of variance n p (1 − p); each pair that is correlated adds to it.
double correlation(const at::Tensor& masks, int64_t axis) {
  const double n = static_cast<double>(masks.size(axis)), p = kRate;
  const at::Tensor sums = (masks - (1 - p)).sum(axis);
  const double excess = sums.pow(2).mean().item<double>() / (n * p * (1 - p)) - 1;
  const double kurtosis = (1 / (p * (1 - p)) - 6) / n;  // of a sum of n, above a normal one's
  return excess / std::sqrt((2 + kurtosis) / static_cast<double>(sums.numel()));
}

// The correlation of the two entries that are most alike, in standard errors.
double closest_pair(const at::Tensor& masks, int64_t axis) {
  const at::Tensor x_nM = ((masks - (1 - kRate)) / std::sqrt(kRate * (1 - kRate))).movedim(axis, 0).flatten(1);
  const at::Tensor pairs = at::matmul(x_nM, x_nM.t()).abs().fill_diagonal_(0);
  return pairs.max().item<double>() / std::sqrt(static_cast<double>(x_nM.size(1)));
}

double drops(const at::Tensor& masks) {
  return (masks.mean().item<double>() - (1 - kRate)) /
         std::sqrt(kRate * (1 - kRate) / static_cast<double>(masks.numel()));
}

// Standard errors; the second is of the closest of some 10,000 pairs.
constexpr double kAllowed = 4.5, kAllowedOfPairs = 6;

TEST(DropoutStatistics, MasksAreAsIndependentAsTorchsAlongEveryAxis) {
  at::manual_seed(1);
  for (const Site& site : sites()) {
    const at::Tensor ours = site.masks(), theirs = at::bernoulli(at::full_like(ours, 1 - kRate));
    for (const auto& [whose, masks] : {std::pair{"our", ours}, {"torch's", theirs}}) {
      EXPECT_LT(std::abs(drops(masks)), kAllowed) << whose << " rate of " << site.name;
      for (size_t axis = 0; axis < site.axes.size(); ++axis) {
        const auto along = static_cast<int64_t>(axis);
        EXPECT_LT(std::abs(correlation(masks, along)), kAllowed)
            << whose << " " << site.axes[axis] << ", " << site.name;
        EXPECT_LT(closest_pair(masks, along), kAllowedOfPairs) << whose << " " << site.axes[axis] << ", " << site.name;
      }
    }
  }
}

TEST(DropoutStatistics, AMaskThatEntriesOfAnAxisShareIsFound) {
  for (const Site& site : sites())
    for (size_t axis = 0; axis < site.axes.size(); ++axis) {
      const auto along = static_cast<int64_t>(axis);
      const at::Tensor masks = site.masks(), pair = masks.clone();
      const at::Tensor shared = masks.narrow(along, 0, 1).expand_as(masks).contiguous();
      EXPECT_GT(correlation(shared, along), 4 * kAllowed) << site.axes[axis] << ", " << site.name;
      pair.narrow(along, 1, 1).copy_(masks.narrow(along, 0, 1));  // two entries alone
      EXPECT_GT(closest_pair(pair, along), kAllowedOfPairs) << "two " << site.axes[axis] << ", " << site.name;
    }
}

// Each dropout has a key of its own.
TEST(DropoutStatistics, MasksOfDifferentPlacesAreIndependent) {
  const std::vector<at::Tensor> all{embeddings(), outputs("attention.output"), outputs("output")};
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t j = 0; j < i; ++j) EXPECT_LT(std::abs(correlation(at::stack({all[i], all[j]}), 0)), kAllowed) << i << j;
}

}  // namespace
}  // namespace sft
