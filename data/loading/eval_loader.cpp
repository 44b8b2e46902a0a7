#include <algorithm>
#include <cassert>
#include <tuple>

#include "data/loading/batch_reader.h"
#include "data/loading/loader.h"
#include "data/loading/packer.h"

namespace sft {
namespace {

// Samples looked at together: enough that those of like length meet, few enough to keep in memory as lengths.
constexpr int64_t kWindow = 4096;

// The range in windows. In each, samples are sorted by length: attention runs by sequence, and like lengths run
// together. Batch::ids tells which is which.
class RangeLoader : public EvalLoader {
 public:
  RangeLoader(const Dataset& dataset, Shard shard, const EvalLoaderConfig& config)
      : dataset_(dataset), reader_(dataset), config_(config) {
    assert(shard.index >= 0 && shard.index < shard.count && config.max_tokens > 0 && config.max_samples >= 0);
    std::tie(next_, end_) = range_of(dataset, shard);
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
    window_ = pack_in_order(items, config_.max_tokens, config_.max_samples);
    batch_ = 0;
    return !window_.empty();
  }

  const Dataset& dataset_;
  BatchReader reader_;
  EvalLoaderConfig config_;
  int64_t next_ = 0, end_ = 0;
  std::vector<std::vector<Item>> window_;
  size_t batch_ = 0;
};

}  // namespace

std::unique_ptr<EvalLoader> make_eval_loader(const Dataset& dataset, Shard shard, const EvalLoaderConfig& config) {
  return std::make_unique<RangeLoader>(dataset, shard, config);
}

}  // namespace sft
