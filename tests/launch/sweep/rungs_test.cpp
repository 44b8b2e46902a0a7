#include "launch/sweep/rungs.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sft {
namespace {

// As Optuna's SuccessiveHalvingPruner counts them: n at a rung with the newcomer, of which ⌊n / factor⌋ or one go on.
TEST(Rungs, LetTheBestOfEachRungGoOn) {
  const Pruning pruning{.reduction_factor = 3, .min_evaluations = 1};
  EXPECT_EQ(cutoffs_of(pruning, {}), Cutoffs{});
  EXPECT_EQ(cutoffs_of(pruning, {{5}}), (Cutoffs{{1, 5}}));
  EXPECT_EQ(cutoffs_of(pruning, {{5}, {4}, {6}, {7}}), (Cutoffs{{1, 4}}));       // 1 of 5
  EXPECT_EQ(cutoffs_of(pruning, {{5}, {4}, {6}, {7}, {1}}), (Cutoffs{{1, 4}}));  // 2 of 6
}

TEST(Rungs, CompareTheBestEvaluationByThenAndTripleTheirDistance) {
  const Pruning pruning{.reduction_factor = 3, .min_evaluations = 2};
  const double nan = std::nan("");
  const Cutoffs cutoffs = cutoffs_of(pruning, {{9, 3, 2, 1, 4, 0.5}, {8, 4}, {nan, nan, nan, nan, nan, nan}});
  EXPECT_EQ(cutoffs, (Cutoffs{{2, 3}, {6, 0.5}}));
}

TEST(Rungs, OfTrialsWithoutANumberCutNothingOff) {
  EXPECT_EQ(cutoffs_of({.reduction_factor = 2, .min_evaluations = 1}, {{std::nan("")}}), Cutoffs{});
}

}  // namespace
}  // namespace sft
