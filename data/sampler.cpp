#include "data/sampler.h"

#include <algorithm>
#include <cassert>
#include <mutex>
#include <numeric>

#include "base/errors.h"
#include "base/random.h"
#include "base/text.h"

namespace sft {
namespace {

class SequentialSampler : public Sampler {
 public:
  explicit SequentialSampler(int64_t size) : size_(size) {}
  int64_t size() const override { return size_; }
  int64_t index(int64_t, int64_t position) const override {
    assert(position >= 0 && position < size_);
    return position;
  }

 private:
  int64_t size_;
};

class RandomSampler : public Sampler {
 public:
  RandomSampler(int64_t size, uint64_t seed) : size_(size), seed_(seed) {}
  int64_t size() const override { return size_; }
  int64_t index(int64_t epoch, int64_t position) const override {
    assert(position >= 0 && position < size_);
    return Permutation(size_, derive_key(seed_, "sampler", static_cast<uint64_t>(epoch)))(position);
  }

 private:
  int64_t size_;
  uint64_t seed_;
};

// The random order, cut into megabatches of 50 global batches, as in transformers. Each is sorted by length, longest
// first, and cut into global batches, which are then shuffled, so that a batch holds like lengths and lengths do not
// fall over an epoch. A short last batch of the epoch stays last; the longest of the first megabatch comes first, so
// that memory is at its peak at once.
class GroupedSampler : public Sampler {
 public:
  GroupedSampler(const Dataset& dataset, uint64_t seed, int64_t batch)
      : dataset_(dataset), random_(dataset.size(), seed), seed_(seed), batch_(batch) {}

  int64_t size() const override { return random_.size(); }

  int64_t index(int64_t epoch, int64_t position) const override {
    assert(position >= 0 && position < size());
    const int64_t megabatch = position / megabatch_size();
    const std::lock_guard lock(mutex_);
    if (epoch != epoch_ || megabatch != megabatch_) {
      order_ = order_of(epoch, megabatch);
      epoch_ = epoch;
      megabatch_ = megabatch;
    }
    return order_[static_cast<size_t>(position % megabatch_size())];
  }

 private:
  int64_t megabatch_size() const { return 50 * batch_; }

  std::vector<int64_t> order_of(int64_t epoch, int64_t megabatch) const {
    const int64_t first = megabatch * megabatch_size(), count = std::min(megabatch_size(), size() - first);
    std::vector<std::pair<int64_t, int64_t>> samples;  // length, index
    for (int64_t i = 0; i < count; ++i) {
      const int64_t sample = random_.index(epoch, first + i);
      samples.emplace_back(dataset_.length(sample), sample);
    }
    std::stable_sort(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.first > b.first; });

    const int64_t whole = count / batch_;
    const uint64_t key = derive_key(derive_key(seed_, "sampler batches", static_cast<uint64_t>(epoch)), "megabatch",
                                    static_cast<uint64_t>(megabatch));
    const Permutation shuffled(whole, key);
    std::vector<int64_t> batches(static_cast<size_t>(whole));
    for (int64_t b = 0; b < whole; ++b) batches[static_cast<size_t>(b)] = shuffled(b);
    if (megabatch == 0 && whole > 0) std::iter_swap(batches.begin(), std::find(batches.begin(), batches.end(), 0));

    std::vector<int64_t> order;
    for (const int64_t b : batches) {
      for (int64_t i = 0; i < batch_; ++i) order.push_back(samples[static_cast<size_t>(b * batch_ + i)].second);
    }
    for (int64_t i = whole * batch_; i < count; ++i) order.push_back(samples[static_cast<size_t>(i)].second);
    return order;
  }

  const Dataset& dataset_;
  RandomSampler random_;
  uint64_t seed_;
  int64_t batch_;
  // The megabatch asked for last: places are asked for in order.
  mutable std::mutex mutex_;
  mutable int64_t epoch_ = -1, megabatch_ = -1;
  mutable std::vector<int64_t> order_;
};

}  // namespace

std::unique_ptr<Sampler> make_sampler(const std::string& strategy, const Dataset& dataset, uint64_t seed,
                                      int64_t global_batch_size) {
  assert(global_batch_size > 0);
  if (strategy == "random") return std::make_unique<RandomSampler>(dataset.size(), seed);
  if (strategy == "sequential") return std::make_unique<SequentialSampler>(dataset.size());
  if (strategy == "group_by_length") return std::make_unique<GroupedSampler>(dataset, seed, global_batch_size);
  throw ConfigError(
      concat("train_sampling_strategy is ", quoted(strategy), ", and random, sequential or group_by_length is wanted"));
}

}  // namespace sft
