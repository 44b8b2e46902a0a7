#include <algorithm>
#include <cassert>
#include <tuple>

#include "data/batch_reader.h"
#include "data/loader.h"
#include "data/packer.h"

namespace sft {
namespace {

// Samples looked at together: enough that those of like length meet, few enough to keep in memory as lengths.
constexpr int64_t kWindow = 4096;

// The range in windows. In each, samples are sorted by length: attention runs by sequence, and like lengths run
// together. Batch::ids tells which is which.
class RangeLoader : public EvalLoader {
 public:
  RangeLoader(const Dataset& dataset, Shard shard, int64_t max_tokens, int64_t max_samples)
      : dataset_(dataset), reader_(dataset), max_tokens_(max_tokens), max_samples_(max_samples) {
    assert(shard.index >= 0 && shard.index < shard.count && max_tokens > 0 && max_samples >= 0);
    std::tie(next_, end_) = range_of(dataset.size(), shard);
  }

  bool next(Batch& out) override {
    if (batch_ == window_.size() && !fill_window()) return false;
    out = reader_.read(window_[batch_++], 0);
    return true;
  }

 private:
  bool fill_window() {
    const int64_t end = std::min(next_ + kWindow, end_);
    std::vector<Item> items;
    for (; next_ < end; ++next_) items.push_back({next_, next_, dataset_.length(next_)});
    sort_by_length(items);
    window_ = pack_in_order(items, max_tokens_, max_samples_);
    batch_ = 0;
    return !window_.empty();
  }

  const Dataset& dataset_;
  BatchReader reader_;
  int64_t max_tokens_, max_samples_;
  int64_t next_ = 0, end_ = 0;
  std::vector<std::vector<Item>> window_;
  size_t batch_ = 0;
};

}  // namespace

std::unique_ptr<EvalLoader> make_eval_loader(const Dataset& dataset, Shard shard, int64_t max_tokens,
                                             int64_t max_samples) {
  return std::make_unique<RangeLoader>(dataset, shard, max_tokens, max_samples);
}

}  // namespace sft
