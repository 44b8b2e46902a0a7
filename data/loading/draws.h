// Epochs in which rows do not come once each but as often as their class or their weight asks for. An epoch has
// as many draws as there are rows.
#pragma once

#include <cstdint>
#include <vector>

#include "data/loading/sampler.h"

namespace sft {

// Every class equally often. Draws come in rounds of one of each class that occurs, in an order of the round's own,
// over the whole run: at no time have two classes been drawn more than once apart. A class gives its rows in shuffled
// passes: none comes again before all have come, so a rare class repeats its rows within an epoch (over-sampling), and
// a frequent one shows others of its rows in the next (under-sampling). 8 bytes of memory a row.
class BalancedSampler final : public Sampler {
 public:
  // `labels` by row; a row without a label (below 0) is never drawn. DataError where there is no other.
  BalancedSampler(const std::vector<int32_t>& labels, uint64_t seed);
  int64_t size() const override { return size_; }
  int64_t index(int64_t epoch, int64_t position) const override;

 private:
  int64_t size_;
  uint64_t seed_;
  std::vector<int64_t> rows_;    // grouped by class
  std::vector<int64_t> starts_;  // the first place of each class in rows_, and the end
};

// Each row with a probability in proportion to its weight, at every place; with replacement. Draws are stratified
// (Kitagawa 1996): the weights laid end to end are cut into as many equal parts as an epoch has places, and each part
// gives one draw. So a row comes as often as expected, give or take less than two, and where all weights are equal,
// just once. 8 bytes of memory a row.
class WeightedSampler final : public Sampler {
 public:
  // `weights` by row, finite and not negative; 0: never drawn. DataError where all are 0.
  WeightedSampler(const std::vector<float>& weights, uint64_t seed);
  int64_t size() const override { return static_cast<int64_t>(ends_.size()); }
  int64_t index(int64_t epoch, int64_t position) const override;

 private:
  uint64_t seed_;
  std::vector<double> ends_;  // of each row's part: the weights up to it, itself included
};

}  // namespace sft
