// A density over settings from those that were tried: a mixture with one kernel a setting, and a wide one as the prior.
// A kernel is a product over the parameters, so that parameters that go together stay together.
//
// Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (2011), with the bandwidths, the prior and the weights
// of Optuna 5's TPESampler, described by Watanabe, "Tree-Structured Parzen Estimator" (arXiv 2304.11127).
#pragma once

#include <cstdint>
#include <vector>

#include "launch/sweep/search_space.h"

namespace sft {

// Uniform numbers in [0, 1), a pure function of the key.
class Draws {
 public:
  explicit Draws(uint64_t key) : key_(key) {}
  double next();

 private:
  uint64_t key_, count_ = 0;
};

using SearchPoint = std::vector<double>;  // one coordinate an axis

class ParzenEstimator {
 public:
  // `tried` in the order of the trials: beyond 25, older ones weigh less.
  ParzenEstimator(std::vector<SearchAxis> axes, std::vector<SearchPoint> tried);

  double log_density(const SearchPoint& place) const;  // of the coordinates
  SearchPoint draw(Draws& draws) const;

 private:
  size_t num_kernels() const { return tried_.size() + 1; }  // the prior is the last
  double log_kernel(size_t kernel, size_t axis, double coordinate) const;
  double mean(size_t kernel, size_t axis) const;

  std::vector<SearchAxis> axes_;
  std::vector<SearchPoint> tried_;
  std::vector<double> weights_;              // of the kernels; they sum to 1
  std::vector<std::vector<double>> widths_;  // [axis][kernel], standard deviations; empty where the axis has choices
};

}  // namespace sft
