#include "data/loading/draws.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "base/errors.h"
#include "base/random.h"
#include "base/text.h"

namespace sft {

BalancedSampler::BalancedSampler(const std::vector<int32_t>& labels, uint64_t seed)
    : size_(static_cast<int64_t>(labels.size())), seed_(seed) {
  for (size_t i = 0; i < labels.size(); ++i)
    if (labels[i] >= 0) rows_.push_back(static_cast<int64_t>(i));
  if (rows_.empty()) throw DataError("data.train_sampling_strategy is 'balanced', and no training row has a label");
  const auto label_of = [&](int64_t row) { return labels[static_cast<size_t>(row)]; };
  std::stable_sort(rows_.begin(), rows_.end(), [&](int64_t a, int64_t b) { return label_of(a) < label_of(b); });
  for (size_t i = 0; i < rows_.size(); ++i)
    if (i == 0 || label_of(rows_[i]) != label_of(rows_[i - 1])) starts_.push_back(static_cast<int64_t>(i));
  starts_.push_back(static_cast<int64_t>(rows_.size()));
}

int64_t BalancedSampler::index(int64_t epoch, int64_t position) const {
  assert(position >= 0 && position < size_);
  const auto num_classes = static_cast<int64_t>(starts_.size()) - 1;
  const int64_t draw = epoch * size_ + position, round = draw / num_classes;
  const Permutation order(num_classes, derive_key(seed_, "balanced classes", static_cast<uint64_t>(round)));
  const auto chosen = static_cast<size_t>(order(draw % num_classes));

  // The class has been drawn once in each round before.
  const int64_t first = starts_[chosen], num_rows = starts_[chosen + 1] - first, pass = round / num_rows;
  const uint64_t key = derive_key(derive_key(seed_, "balanced rows", chosen), "pass", static_cast<uint64_t>(pass));
  return rows_[static_cast<size_t>(first + Permutation(num_rows, key)(round % num_rows))];
}

WeightedSampler::WeightedSampler(const std::vector<float>& weights, uint64_t seed)
    : seed_(seed), ends_(weights.begin(), weights.end()) {
  for (const float weight : weights)
    if (!(weight >= 0) || std::isinf(weight))
      throw DataError(concat("data.train_sampling_strategy is 'weighted', and a training row has the weight ", weight,
                             "; wanted a finite number, 0 or more"));
  std::partial_sum(ends_.begin(), ends_.end(), ends_.begin());
  if (ends_.empty() || ends_.back() == 0)
    throw DataError("data.train_sampling_strategy is 'weighted', and every training row has weight 0");
}

int64_t WeightedSampler::index(int64_t epoch, int64_t position) const {
  assert(position >= 0 && position < size());
  const uint64_t key = derive_key(seed_, "weighted", static_cast<uint64_t>(epoch));
  // 24 bits, so that part and place in it are exact together: equal weights give each row its own part.
  const auto inside = static_cast<double>(derive_key(key, "place", static_cast<uint64_t>(position)) >> 40) * 0x1p-24;
  const auto part = static_cast<double>(Permutation(size(), key)(position));
  const double total = ends_.back();
  const double place = std::min((part + inside) * (total / static_cast<double>(size())), std::nextafter(total, 0.0));
  // The first row that ends behind the place: one of weight 0 ends where it begins.
  return std::upper_bound(ends_.begin(), ends_.end(), place) - ends_.begin();
}

}  // namespace sft
