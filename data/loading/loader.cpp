#include "data/loading/loader.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "base/errors.h"
#include "base/text.h"
#include "data/loading/batch_reader.h"
#include "data/loading/packer.h"
#include "data/loading/prefetcher.h"

namespace sft {
namespace {

// One rank's way through the global order, a global batch at a time.
class ShareReader {
 public:
  ShareReader(const Dataset& dataset, const Sampler& sampler, Shard shard, const LoaderConfig& config)
      : dataset_(dataset), sampler_(sampler), shard_(shard), config_(config), reader_(dataset, config.augmentation) {}

  // Lengths of the own groups are looked at, tokens only of this rank's share.
  Share read(const Cursor& cursor) {
    const int64_t size = sampler_.size(), end = std::min(cursor.position + config_.global_batch_size, size);
    Share share;
    share.global_samples = end - cursor.position;
    share.next = end == size ? Cursor{cursor.seed, cursor.epoch + 1, 0} : Cursor{cursor.seed, cursor.epoch, end};

    const int64_t first_draw = cursor.epoch * size;
    const int here = num_parts() / shard_.count;
    DealtGroup group;
    std::vector<Item> items;
    for (int part = shard_.index * here; part < (shard_.index + 1) * here; ++part) {
      if (part >= group.end_part) {
        group = group_of(part, num_parts(), share.global_samples);
        items = items_of(group, cursor);
        for (const Item& item : items) share.group_tokens += item.length;
      }
      Part& batches = share.parts.emplace_back();
      const auto own = deal(items, part - group.first_part, group.end_part - group.first_part);
      for (const auto& micro : pack(own, config_.max_tokens, config_.max_samples))
        batches.push_back(reader_.read(micro, first_draw));
    }
    if (config_.even) even_out(share);
    return share;
  }

 private:
  int num_parts() const { return config_.parts > 0 ? config_.parts : shard_.count; }

  std::vector<Item> items_of(const DealtGroup& group, const Cursor& cursor) {
    std::vector<Item> items;
    for (int64_t position = cursor.position + group.first_row; position < cursor.position + group.end_row; ++position) {
      const int64_t index = sampler_.index(cursor.epoch, position);
      items.push_back({position, index, 0});
      dataset_.expect(index, Dataset::Soon::length);
    }
    for (Item& item : items) item.length = dataset_.length(item.index);
    sort_by_length(items);
    return items;
  }

  // Samples without a length are dealt out evenly, so what the largest part of all holds is known without a look.
  void even_out(Share& share) {
    int64_t largest = 0;
    for (DealtGroup group; group.end_part < num_parts();) {
      group = group_of(group.end_part, num_parts(), share.global_samples);
      const int64_t rows = group.end_row - group.first_row, parts = group.end_part - group.first_part;
      largest = std::max(largest, (rows + parts - 1) / parts);
    }
    const std::vector<Item> items(static_cast<size_t>(largest), Item{.length = 1});
    const size_t most = pack(items, config_.max_tokens, config_.max_samples).size();
    for (Part& batches : share.parts)
      while (batches.size() < most) batches.push_back(reader_.read({}, 0));
  }

  const Dataset& dataset_;
  const Sampler& sampler_;
  Shard shard_;
  LoaderConfig config_;
  BatchReader reader_;
};

class GlobalBatchLoader : public Loader {
 public:
  GlobalBatchLoader(const Dataset& dataset, const Sampler& sampler, Shard shard, const LoaderConfig& config,
                    uint64_t seed)
      : size_(sampler.size()),
        seed_(seed),
        config_(config),
        reader_(dataset, sampler, shard, config),
        cursor_{seed, 0, 0} {
    if (size_ == 0) throw DataError("the training data has no samples");
    assert(shard.index >= 0 && shard.index < shard.count && config.global_batch_size > 0 && config.max_tokens > 0);
    assert(config.parts % shard.count == 0);
    if (config.even && !dataset.schema().units.empty())
      throw Error(ExitCode::internal, "as many micro-batches on every rank are known of samples without lengths alone");
  }

  Share next() override {
    if (config_.prefetch <= 0) return read();
    if (!ahead_) ahead_.emplace([this] { return read(); }, config_.prefetch);
    return ahead_->next();
  }

  void seek(const Cursor& cursor) override {
    if (cursor.seed != seed_)
      throw ConfigError(concat("the run began with seed ", cursor.seed, " and now has seed ", seed_,
                               ": its order of samples cannot go on"));
    if (cursor.epoch < 0 || cursor.position < 0 || cursor.position >= size_)
      throw DataError(concat("the saved place in the data, epoch ", cursor.epoch, " position ", cursor.position,
                             ", is outside its ", size_, " samples"));
    ahead_.reset();  // the thread that moves cursor_ is gone after this
    cursor_ = cursor;
  }

  int64_t batches_per_epoch() const override {
    return (size_ + config_.global_batch_size - 1) / config_.global_batch_size;
  }

 private:
  Share read() {
    Share share = reader_.read(cursor_);
    cursor_ = share.next;
    return share;
  }

  const int64_t size_;
  const uint64_t seed_;
  const LoaderConfig config_;
  ShareReader reader_;
  Cursor cursor_;                           // of the batch to read next; the background thread's while there is one
  std::optional<Prefetcher<Share>> ahead_;  // last, so that its thread ends first
};

}  // namespace

std::unique_ptr<Loader> make_loader(const Dataset& dataset, const Sampler& sampler, Shard shard,
                                    const LoaderConfig& config, uint64_t seed) {
  return std::make_unique<GlobalBatchLoader>(dataset, sampler, shard, config, seed);
}

}  // namespace sft
