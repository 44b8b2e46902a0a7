// What the loaders promise: the same samples for any number of ranks, resumption anywhere, bounds kept.
#include "data/loading/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/errors.h"
#include "hdf5_files.h"
#include "support/memory_dataset.h"

namespace sft {
namespace {

constexpr uint64_t kSeed = 9;

// Draw → (id, label, tokens): what one global batch is, whoever reads it.
using Content = std::map<int64_t, std::tuple<int64_t, int64_t, std::vector<int64_t>>>;

void collect(const Batch& batch, Content& content) {
  const Offsets& offsets = batch.offsets("token");
  const std::span<const int32_t> tokens = batch.at("tokens").as<int32_t>();
  const std::span<const int64_t> labels = batch.at("labels").as<int64_t>();
  const auto size = static_cast<size_t>(batch.size());
  ASSERT_EQ(offsets.size(), size + 1);
  ASSERT_EQ(offsets.front(), 0);
  ASSERT_EQ(offsets.back(), batch.num_units());
  ASSERT_TRUE(labels.size() == size && batch.weights.size() == size && batch.draws.size() == size);
  for (size_t b = 0; b < size; ++b) {
    const auto first = tokens.begin() + offsets[b], last = tokens.begin() + offsets[b + 1];
    ASSERT_TRUE(b == 0 || last - first <= offsets[b] - offsets[b - 1]) << "longest first";
    ASSERT_TRUE(content.try_emplace(batch.draws[b], batch.ids[b], labels[b], std::vector<int64_t>(first, last)).second);
  }
}

// `steps` global batches, each the union over a world of ranks.
std::vector<Content> run(const Dataset& dataset, const std::string& strategy, int world, int64_t steps,
                         LoaderConfig config, Cursor from) {
  const auto sampler = make_sampler(strategy, dataset, kSeed, config.global_batch_size);
  std::vector<Content> batches(static_cast<size_t>(steps));
  std::vector<std::pair<int64_t, int64_t>> totals(static_cast<size_t>(steps), {-1, -1});
  for (int rank = 0; rank < world; ++rank) {
    const auto loader = make_loader(dataset, *sampler, {rank, world}, config, kSeed);
    loader->seek(from);
    for (size_t step = 0; step < batches.size(); ++step) {
      const Share share = loader->next();
      for (const Batch& batch : share.parts.front()) {
        collect(batch, batches[step]);
        EXPECT_TRUE(batch.num_units() <= config.max_tokens || batch.size() == 1);
        EXPECT_TRUE(config.max_samples == 0 || batch.size() <= config.max_samples);
      }
      const std::pair total{share.global_samples, share.group_tokens};
      if (rank == 0) totals[step] = total;
      EXPECT_EQ(totals[step], total) << "all ranks know the same global batch";
    }
  }
  for (size_t step = 0; step < batches.size(); ++step) {
    int64_t tokens = 0;
    for (const auto& [draw, sample] : batches[step]) tokens += static_cast<int64_t>(std::get<2>(sample).size());
    EXPECT_EQ(totals[step], std::pair(static_cast<int64_t>(batches[step].size()), tokens));
  }
  return batches;
}

// Mutation: dealing by `position % count` with the count of the last batch wrong, or forgetting one rank, fails here.
TEST(Loader, GivesTheSameGlobalBatchesOnAnyNumberOfRanks) {
  const MemoryDataset dataset(103, 100, 3, 60, 1);  // 7 batches of 16, the last of 7
  for (const char* strategy : {"random", "sequential", "group_by_length", "balanced", "weighted"}) {
    const LoaderConfig config{.global_batch_size = 16, .max_tokens = 150, .max_samples = 0, .prefetch = 0};
    const auto alone = run(dataset, strategy, 1, 16, config, {kSeed, 0, 0});
    EXPECT_EQ(alone[6].size(), 7u);
    for (const int world : {2, 3, 4, 5, 6, 7, 20})
      EXPECT_EQ(run(dataset, strategy, world, 16, config, {kSeed, 0, 0}), alone) << world;
  }
}

TEST(Loader, DoesNotChangeItsSamplesWithBoundsOrPrefetching) {
  const MemoryDataset dataset(103, 100, 3, 60, 1);
  const auto plain = run(dataset, "random", 2, 16,
                         {.global_batch_size = 16, .max_tokens = 8192, .max_samples = 0, .prefetch = 0}, {kSeed, 0, 0});
  for (const int prefetch : {1, 2, 5})
    EXPECT_EQ(run(dataset, "random", 2, 16,
                  {.global_batch_size = 16, .max_tokens = 90, .max_samples = 3, .prefetch = prefetch}, {kSeed, 0, 0}),
              plain);
}

TEST(Loader, VisitsEverySampleOnceAnEpochAndNumbersDrawsThroughTheRun) {
  const MemoryDataset dataset(103, 100, 3, 60, 1);
  const LoaderConfig config{.global_batch_size = 16};
  const auto batches = run(dataset, "random", 3, 14, config, {kSeed, 0, 0});
  std::set<int64_t> ids;
  for (size_t step = 0; step < 14; ++step) {
    for (const auto& [draw, sample] : batches[step]) {
      EXPECT_EQ(draw / 103, step < 7 ? 0 : 1);
      EXPECT_TRUE(step >= 7 || ids.insert(std::get<0>(sample)).second);
    }
  }
  EXPECT_EQ(ids.size(), 103u);
}

TEST(Loader, GoesOnFromAnyCursorAsIfItHadNeverStopped) {
  const MemoryDataset dataset(103, 100, 3, 60, 1);
  const LoaderConfig config{.global_batch_size = 16};
  const auto sampler = make_sampler("random", dataset, kSeed, 16);
  const auto whole = run(dataset, "random", 1, 20, config, {kSeed, 0, 0});
  const auto loader = make_loader(dataset, *sampler, {0, 1}, config, kSeed);
  EXPECT_EQ(loader->batches_per_epoch(), 7);
  std::vector<Cursor> cursors = {{kSeed, 0, 0}};
  for (int step = 0; step < 15; ++step) cursors.push_back(loader->next().next);
  EXPECT_EQ(cursors[7], (Cursor{kSeed, 1, 0})) << "a finished epoch is the start of the next";
  for (size_t step = 0; step < cursors.size(); ++step) {
    const auto rest = run(dataset, "random", 2, 3, config, cursors[step]);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(rest[i], whole[step + i]) << step;
  }
  // And the same loader, with batches already read ahead.
  loader->seek(cursors[2]);
  Content content;
  const Share share = loader->next();
  for (const Batch& batch : share.parts.front()) collect(batch, content);
  EXPECT_EQ(content, whole[2]);
}

// Draws of one row again have numbers, and so dropout masks, of their own.
TEST(Loader, GoesOnFromAnyCursorWhereRowsRepeat) {
  const MemoryDataset dataset(103, 100, 3, 60, 1);
  const LoaderConfig config{.global_batch_size = 16};
  for (const char* strategy : {"balanced", "weighted"}) {
    const auto whole = run(dataset, strategy, 1, 20, config, {kSeed, 0, 0});
    std::set<int64_t> ids;
    for (const Content& batch : whole)
      for (const auto& [draw, sample] : batch) ids.insert(std::get<0>(sample));
    EXPECT_LT(ids.size(), 20u * 14) << "some came again, under another draw";
    for (const int world : {1, 3}) {
      EXPECT_EQ(run(dataset, strategy, world, 1, config, {kSeed, 0, 64})[0], whole[4]) << strategy;
      EXPECT_EQ(run(dataset, strategy, world, 1, config, {kSeed, 2, 16})[0], whole[15]) << strategy;
    }
  }
}

TEST(Loader, RefusesACursorOfAnotherRun) {
  const MemoryDataset dataset(10, 100, 3, 60, 1);
  const auto sampler = make_sampler("random", dataset, kSeed, 4);
  const auto loader = make_loader(dataset, *sampler, {0, 1}, {.global_batch_size = 4}, kSeed);
  EXPECT_THROW(loader->seek({kSeed + 1, 0, 0}), ConfigError);
  EXPECT_THROW(loader->seek({kSeed, 0, 10}), DataError);
}

TEST(Loader, LeavesRanksWithoutSamplesAnEmptyShare) {
  const MemoryDataset dataset(3, 100, 3, 60, 1);
  const auto sampler = make_sampler("random", dataset, kSeed, 8);
  int empty = 0;
  for (int rank = 0; rank < 5; ++rank) {
    const Share share = make_loader(dataset, *sampler, {rank, 5}, {.global_batch_size = 8}, kSeed)->next();
    EXPECT_EQ(share.global_samples, 3);
    empty += share.parts.front().empty() ? 1 : 0;
  }
  EXPECT_EQ(empty, 2);
}

// Mutation: reading the samples of all ranks and keeping one's own passes every test but this.
TEST(Loader, ReadsOnlyItsShareOfTheTokens) {
  const test::Folder folder;
  test::write_shard(folder / "a.h5", 0, 1000);
  const auto one = [&](int rank, int world) {
    const auto dataset = open_dataset({folder / "a.h5"});
    const auto sampler = make_sampler("random", *dataset, kSeed, 100);
    const auto loader =
        make_loader(*dataset, *sampler, {rank, world}, {.global_batch_size = 100, .prefetch = 0}, kSeed);
    for (int step = 0; step < 10; ++step) loader->next();
    return dataset->bytes_read();
  };
  const int64_t all = one(0, 1);
  int64_t sum = 0;
  for (int rank = 0; rank < 4; ++rank) {
    EXPECT_NEAR(static_cast<double>(one(rank, 4)), static_cast<double>(all) / 4, static_cast<double>(all) / 40);
    sum += one(rank, 4);
  }
  EXPECT_EQ(sum, all);
}

// Breaks at one sample.
class BrokenDataset final : public Dataset {
 public:
  const DatasetInfo& info() const override { return good_.info(); }
  int64_t length(int64_t i) const override { return good_.length(i); }
  void append(int64_t i, Batch& out) const override {
    if (i == 37) throw DataError("sample 37 is damaged");
    good_.append(i, out);
  }
  void append(int64_t i, size_t column, Packed& out) const override { good_.append(i, column, out); }
  float weight(int64_t i) const override { return good_.weight(i); }
  int64_t row(int64_t i) const override { return good_.row(i); }
  int64_t bytes_read() const override { return 0; }

 private:
  MemoryDataset good_{64, 100, 3, 60, 1};
};

TEST(Loader, ThrowsTheErrorOfItsReadingThreadAfterTheBatchesBeforeIt) {
  const BrokenDataset dataset;
  const auto sampler = make_sampler("sequential", dataset, kSeed, 8);
  const auto loader = make_loader(dataset, *sampler, {0, 1}, {.global_batch_size = 8, .prefetch = 3}, kSeed);
  for (int step = 0; step < 4; ++step) EXPECT_NO_THROW(loader->next());
  EXPECT_THROW(loader->next(), DataError);
  EXPECT_THROW(loader->next(), DataError);
  loader->seek({kSeed, 0, 0});
  EXPECT_NO_THROW(loader->next());
}

TEST(Loader, EndsItsThreadWhereverItIsLeft) {
  const MemoryDataset dataset(103, 100, 3, 60, 1);
  const auto sampler = make_sampler("group_by_length", dataset, kSeed, 16);
  for (int steps = 0; steps < 20; ++steps) {
    const auto loader =
        make_loader(dataset, *sampler, {0, 1}, {.global_batch_size = 16, .prefetch = 1 + steps % 4}, kSeed);
    for (int step = 0; step < steps; ++step) loader->next();
  }
}

TEST(Loader, RefusesDataWithoutSamples) {
  const MemoryDataset dataset(0, 100, 3, 60, 1);
  const auto sampler = make_sampler("random", dataset, kSeed, 16);
  EXPECT_THROW(make_loader(dataset, *sampler, {0, 1}, {}, kSeed), DataError);
}

// Mutation: ranges of ceil(size / count) samples lose or repeat some for size = count + 1.
TEST(EvalLoader, SeesEverySampleOnceForAnyNumberOfSamplesAndRanks) {
  for (int world = 1; world <= 7; ++world) {
    for (const int64_t size : {int64_t{0}, int64_t{world} - 1, int64_t{world}, int64_t{world} + 1,
                               int64_t{5} * world + 1, int64_t{10'000}}) {
      const MemoryDataset dataset(size, 100, 3, 60, 1);
      Content content;
      for (int rank = 0; rank < world; ++rank) {
        const auto loader = make_eval_loader(dataset, {rank, world}, {200, 8});
        const auto [first, end] = range_of(size, {rank, world});
        Batch batch;
        while (loader->next(batch)) {
          collect(batch, content);
          EXPECT_TRUE(batch.num_units() <= 200 && batch.size() <= 8);
          for (const int64_t id : batch.ids) EXPECT_TRUE(id >= first && id < end) << "contiguous ranges";
        }
        EXPECT_FALSE(loader->next(batch)) << "the end stays the end";
      }
      EXPECT_EQ(static_cast<int64_t>(content.size()), size);
    }
  }
}

}  // namespace
}  // namespace sft
