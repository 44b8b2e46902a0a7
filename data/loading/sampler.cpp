#include "data/loading/sampler.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <numeric>

#include "base/errors.h"
#include "base/random.h"
#include "base/text.h"
#include "data/loading/draws.h"
#include "data/loading/packer.h"

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
// that memory is at its peak at once. Of global batches so large that a rank looks at a piece of them alone (packer.h),
// each piece is sorted by itself, over the 50 batches.
class GroupedSampler : public Sampler {
 public:
  GroupedSampler(const Dataset& dataset, uint64_t seed, int64_t batch)
      : dataset_(dataset), random_(dataset.size(), seed), seed_(seed), batch_(batch) {}

  int64_t size() const override { return random_.size(); }

  int64_t index(int64_t epoch, int64_t position) const override {
    assert(position >= 0 && position < size());
    const int64_t megabatch = position / megabatch_size(), batch = position % megabatch_size() / batch_;
    const int64_t rows = std::min(batch_, size() - (position - position % batch_)), row = position % batch_;
    const int64_t piece = ((row + 1) * num_pieces() - 1) / rows;
    const std::lock_guard lock(mutex_);
    if (epoch != epoch_ || megabatch != megabatch_) orders_.clear();
    epoch_ = epoch;
    megabatch_ = megabatch;
    std::vector<int64_t>& order = orders_[piece];
    if (order.empty()) order = order_of(epoch, megabatch, piece);
    return order[static_cast<size_t>(batch * piece_of(batch_, piece).second + row - piece_of(rows, piece).first)];
  }

 private:
  int64_t megabatch_size() const { return 50 * batch_; }
  int64_t num_pieces() const { return std::max<int64_t>(1, batch_ / kRowsOfGroup); }

  // The first row of a piece of so many rows, and how many it has.
  std::pair<int64_t, int64_t> piece_of(int64_t rows, int64_t piece) const {
    const int64_t first = rows * piece / num_pieces();
    return {first, rows * (piece + 1) / num_pieces() - first};
  }

  std::vector<int64_t> order_of(int64_t epoch, int64_t megabatch, int64_t piece) const {
    const int64_t first = megabatch * megabatch_size(), end = std::min(first + megabatch_size(), size());
    std::vector<std::pair<int64_t, int64_t>> samples;  // length, index
    for (int64_t batch = first; batch < end; batch += batch_) {
      const auto [skipped, count] = piece_of(std::min(batch_, end - batch), piece);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t sample = random_.index(epoch, batch + skipped + i);
        samples.emplace_back(dataset_.length(sample), sample);
      }
    }
    std::stable_sort(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.first > b.first; });

    const int64_t whole = (end - first) / batch_, rows = piece_of(batch_, piece).second;
    const uint64_t key = derive_key(derive_key(seed_, "sampler batches", static_cast<uint64_t>(epoch)), "megabatch",
                                    static_cast<uint64_t>(megabatch));
    const Permutation shuffled(whole, key);  // the same for all pieces: those of a batch have like lengths
    std::vector<int64_t> batches(static_cast<size_t>(whole));
    for (int64_t b = 0; b < whole; ++b) batches[static_cast<size_t>(b)] = shuffled(b);
    if (megabatch == 0 && whole > 0) std::iter_swap(batches.begin(), std::find(batches.begin(), batches.end(), 0));

    std::vector<int64_t> order;
    for (const int64_t b : batches) {
      for (int64_t i = 0; i < rows; ++i) order.push_back(samples[static_cast<size_t>(b * rows + i)].second);
    }
    for (size_t i = static_cast<size_t>(whole * rows); i < samples.size(); ++i) order.push_back(samples[i].second);
    return order;
  }

  const Dataset& dataset_;
  RandomSampler random_;
  uint64_t seed_;
  int64_t batch_;
  // The megabatch asked for last, by pieces: places are asked for in order.
  mutable std::mutex mutex_;
  mutable int64_t epoch_ = -1, megabatch_ = -1;
  mutable std::map<int64_t, std::vector<int64_t>> orders_;
};

// `of` each sample, in order, on every rank; each has read its share.
template <class Value>
std::vector<Value> gather(const Peers& peers, int64_t size, const std::function<Value(int64_t)>& of) {
  std::string mine;
  peers.together([&] {
    const auto [first, end] = range_of(size, peers.self);
    for (int64_t i = first; i < end; ++i) {
      const Value value = of(i);
      mine.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
  });
  std::vector<Value> all;
  for (const std::string& part : peers.gather(mine)) {
    const size_t before = all.size();
    all.resize(before + part.size() / sizeof(Value));
    std::memcpy(all.data() + before, part.data(), part.size());
  }
  return all;
}

std::unique_ptr<Sampler> make_balanced(const Dataset& dataset, uint64_t seed, const Peers& peers) {
  const size_t column = dataset.schema().place("labels");
  peers.together([&] {
    const Column* found = dataset.schema().find("labels");
    if (found == nullptr || found->number != Number::int64 || !found->axis.empty() || !found->shape.empty())
      throw ConfigError("data.train_sampling_strategy is 'balanced', and the training rows do not have one label each");
  });
  Packed label(Number::int64);
  const auto labels = gather<int32_t>(peers, dataset.size(), [&](int64_t i) {
    label.clear();
    dataset.append(i, column, label);
    return static_cast<int32_t>(label.as<int64_t>()[0]);
  });
  std::unique_ptr<Sampler> sampler;
  peers.together([&] { sampler = std::make_unique<BalancedSampler>(labels, seed); });
  return sampler;
}

std::unique_ptr<Sampler> make_weighted(const Dataset& dataset, uint64_t seed, const Peers& peers) {
  peers.together([&] {
    if (!dataset.info().has_weights)
      throw ConfigError(
          "data.train_sampling_strategy is 'weighted', and the training rows have no weights: name data.weight_column");
  });
  const auto weights = gather<float>(peers, dataset.size(), [&](int64_t i) { return dataset.weight(i); });
  std::unique_ptr<Sampler> sampler;
  peers.together([&] { sampler = std::make_unique<WeightedSampler>(weights, seed); });
  return sampler;
}

}  // namespace

std::unique_ptr<Sampler> make_sampler(const std::string& strategy, const Dataset& dataset, uint64_t seed,
                                      int64_t global_batch_size, const Peers& peers) {
  assert(global_batch_size > 0);
  if (strategy == "random") return std::make_unique<RandomSampler>(dataset.size(), seed);
  if (strategy == "sequential") return std::make_unique<SequentialSampler>(dataset.size());
  if (strategy == "group_by_length") return std::make_unique<GroupedSampler>(dataset, seed, global_batch_size);
  if (strategy == "balanced") return make_balanced(dataset, seed, peers);
  if (strategy == "weighted") return make_weighted(dataset, seed, peers);
  throw ConfigError(concat("train_sampling_strategy is ", in_quotes(strategy),
                           ", and random, sequential, group_by_length, balanced or weighted is wanted"));
}

}  // namespace sft
