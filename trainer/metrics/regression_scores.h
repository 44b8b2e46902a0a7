// How well numbers are predicted. Equal to scikit-learn (mse, mae, r2) and scipy (pearson, spearman with ties), also
// where a target or prediction is constant: its correlations are NaN, and r2 is 0, or 1 where all is right (of a
// constant whose mean is not exact, scikit-learn divides by the rounding error instead).
#pragma once

#include <span>

namespace sft {

struct RegressionScores {
  double mse, mae, r2, pearson, spearman;
};

// Of one target; both as long. All NaN without samples; r2 and the correlations are NaN with one.
RegressionScores regression_scores(std::span<const double> truth, std::span<const double> prediction);

}  // namespace sft
