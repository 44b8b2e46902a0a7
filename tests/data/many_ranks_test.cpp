// What a rank does for a step, on worlds that no test can start: the loader of one rank of thousands, by itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <set>

#include "base/random.h"
#include "data/loading/loader.h"
#include "data/loading/packer.h"

namespace sft {
namespace {

constexpr uint64_t kDealtSeed = 3;

// Texts of 2 to 128 tokens, 82 in the mean, as descriptions of packages that are cut at 128. Made where they are read.
class ManyTexts : public Dataset {
 public:
  explicit ManyTexts(int64_t size) {
    info_.num_samples = info_.num_rows = size;
    info_.max_length = 128;
    info_.schema = {.columns = {{.name = "tokens", .number = Number::int32, .axis = "token"}}, .units = {"token"}};
  }
  const DatasetInfo& info() const override { return info_; }
  int64_t length(int64_t i) const override {
    ++lengths;
    return length_of(i);
  }
  void append(int64_t i, Batch& out) const override {
    ++samples;
    Sample sample(info_.schema);
    sample.cells[0].set(std::vector<int32_t>(static_cast<size_t>(length_of(i)), 5));
    sample.row = i;
    out.append(sample);
  }
  void append(int64_t, size_t, Packed&) const override {}
  float weight(int64_t) const override { return 1; }
  int64_t row(int64_t i) const override { return i; }
  int64_t bytes_read() const override { return 0; }

  mutable std::atomic<int64_t> lengths{0}, samples{0};  // that were asked for

 private:
  static int64_t length_of(int64_t i) {
    const uint64_t draw = derive_key(7, "length", static_cast<uint64_t>(i));
    return std::min<int64_t>(128, 2 + static_cast<int64_t>(draw % 86 + draw / 86 % 86));
  }
  DatasetInfo info_;
};

struct Work {
  double milliseconds, lengths, samples;  // a step
};

// A middle rank of so many, at 128 rows a rank, over the whole of a megabatch of group_by_length where that is asked
// for.
Work work_of_a_rank(const std::string& strategy, int world, int64_t steps) {
  const int64_t batch = 128 * world;
  const ManyTexts texts(60 * batch);
  const auto sampler = make_sampler(strategy, texts, kDealtSeed, batch);
  const auto loader = make_loader(texts, *sampler, {world / 2, world},
                                  {.global_batch_size = batch, .max_tokens = 4096, .prefetch = 0}, kDealtSeed);
  const std::clock_t start = std::clock();
  for (int64_t step = 0; step < steps; ++step) loader->next();
  const auto count = static_cast<double>(steps);
  return {1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / count,
          static_cast<double>(texts.lengths) / count, static_cast<double>(texts.samples) / count};
}

// Mutation: one group for any number of rows.
TEST(ManyRanks, WhatARankReadsForAStepDoesNotGrowWithTheirNumber) {
  for (const auto& [strategy, steps] : {std::pair{"random", 20}, {"group_by_length", 50}}) {
    const Work few = work_of_a_rank(strategy, 64, steps);
    for (const int world : {8, 512, 4096}) {
      const Work many = work_of_a_rank(strategy, world, steps);
      RecordProperty(strategy + std::to_string(world), std::to_string(many.milliseconds) + " ms");
      EXPECT_LE(many.lengths, 1.5 * few.lengths) << strategy << " on " << world;
      EXPECT_LE(many.samples, 1.5 * few.samples) << strategy << " on " << world;
      EXPECT_LE(many.milliseconds, 2 * few.milliseconds) << strategy << " on " << world;  // of the CPU, noise included
    }
  }
}

// Tokens of the fullest rank of all, beside the mean.
double imbalance(const std::vector<Item>& items, int world, bool in_groups) {
  const auto rows = static_cast<int64_t>(items.size());
  double most = 0, all = 0;
  for (int part = 0; part < world;) {
    const DealtGroup group = in_groups ? group_of(part, world, rows) : DealtGroup{0, rows, 0, world};
    std::vector<Item> own(items.begin() + group.first_row, items.begin() + group.end_row);
    sort_by_length(own);
    std::vector<double> tokens(static_cast<size_t>(group.end_part - group.first_part));
    for (const Item& item : own) *std::ranges::min_element(tokens) += static_cast<double>(item.length);
    most = std::max(most, std::ranges::max(tokens));
    for (const double share : tokens) all += share;
    part = group.end_part;
  }
  return most / (all / world);
}

TEST(ManyRanks, GroupsAreAsEvenAsTheWholeButForTwoPercent) {
  const ManyTexts texts(1 << 20);
  for (const auto& [world, rows] : {std::pair{64, 128}, {256, 32}, {1024, 32}, {512, 128}}) {
    std::vector<Item> items;
    for (int64_t i = 0; i < int64_t{world} * rows; ++i) items.push_back({i, i, texts.length(i)});
    EXPECT_LE(imbalance(items, world, true), imbalance(items, world, false) + 0.02) << world;
  }
}

TEST(ManyRanks, GroupsCoverRowsAndPartsOnce) {
  for (const int64_t rows : {1, 63, 4096, 8191, 8192, 8193, 20000, 100003})
    for (const int parts : {1, 2, 3, 8, 24, 100}) {
      int64_t row = 0;
      for (int part = 0; part < parts;) {
        const DealtGroup group = group_of(part, parts, rows);
        EXPECT_EQ(group.first_row, row);
        EXPECT_EQ(group.first_part, part);
        ASSERT_GT(group.end_part, part);
        for (int other = part; other < group.end_part; ++other)
          EXPECT_EQ(group_of(other, parts, rows).end_part, group.end_part);
        EXPECT_TRUE(rows >= 2 * kRowsOfGroup || group.end_part == parts) << "small batches are dealt as one";
        EXPECT_TRUE(group.end_part == parts || group.end_row - row >= kRowsOfGroup / 2);
        row = group.end_row;
        part = group.end_part;
      }
      EXPECT_EQ(row, rows);
    }
}

// The samples of each of the first global batches of 9,000 rows, the last of an epoch ragged.
std::vector<std::multiset<int64_t>> batches_on(int world, const std::string& strategy) {
  const ManyTexts texts(25'000);
  const auto sampler = make_sampler(strategy, texts, kDealtSeed, 9'000);
  std::vector<std::multiset<int64_t>> batches(4);
  for (int rank = 0; rank < world; ++rank) {
    const auto loader = make_loader(texts, *sampler, {rank, world},
                                    {.global_batch_size = 9'000, .max_tokens = 4096, .prefetch = 0}, kDealtSeed);
    for (auto& batch : batches) {
      const Share share = loader->next();
      for (const Part& part : share.parts)
        for (const Batch& micro : part) batch.insert(micro.ids.begin(), micro.ids.end());
    }
  }
  return batches;
}

TEST(ManyRanks, LargeBatchesHoldTheSameSamplesOnAnyNumberOfRanks) {
  for (const char* strategy : {"random", "group_by_length"}) {
    const auto alone = batches_on(1, strategy);
    std::multiset<int64_t> epoch;
    for (size_t b = 0; b < 3; ++b) epoch.insert(alone[b].begin(), alone[b].end());
    EXPECT_EQ(epoch.size(), 25'000u);
    EXPECT_EQ(std::set<int64_t>(epoch.begin(), epoch.end()).size(), 25'000u) << "each once an epoch";
    for (const int world : {3, 20}) EXPECT_EQ(batches_on(world, strategy), alone) << strategy << world;
  }
}

}  // namespace
}  // namespace sft
