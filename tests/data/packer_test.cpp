// How samples are dealt among ranks and packed into micro-batches.
#include "data/loading/packer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.h"

namespace sft {
namespace {

std::vector<Item> items_of(const std::vector<int64_t>& lengths) {
  std::vector<Item> items;
  for (const int64_t length : lengths)
    items.push_back({static_cast<int64_t>(items.size()), static_cast<int64_t>(items.size()), length});
  sort_by_length(items);
  return items;
}

std::vector<Item> random_items(int64_t count, int64_t longest, uint64_t seed) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < count; ++i)
    lengths.push_back(1 + static_cast<int64_t>(derive_key(seed, "length", static_cast<uint64_t>(i)) %
                                               static_cast<uint64_t>(longest)));
  return items_of(lengths);
}

int64_t tokens_of(const std::vector<Item>& items) {
  int64_t sum = 0;
  for (const Item& item : items) sum += item.length;
  return sum;
}

TEST(Packer, DealsEachItemToOneRankForAnyNumberOfRanks) {
  const std::vector<Item> items = random_items(37, 128, 1);
  for (int world = 1; world <= 50; ++world) {
    std::multiset<int64_t> seen;
    for (int rank = 0; rank < world; ++rank) {
      for (const Item& item : deal(items, rank, world)) seen.insert(item.position);
    }
    EXPECT_EQ(seen.size(), items.size()) << world;
    EXPECT_EQ(std::set<int64_t>(seen.begin(), seen.end()).size(), items.size()) << world;
  }
}

TEST(Packer, DealsLongestFirstToTheRankWithTheFewestTokens) {
  const std::vector<Item> items = items_of({5, 9, 5, 3, 3});  // by length: 9 5 5 3 3
  EXPECT_EQ(tokens_of(deal(items, 0, 2)), 12);                // 9, then the tie at 10 : 9 is not one: 9 + 3
  EXPECT_EQ(tokens_of(deal(items, 1, 2)), 13);                // 5 5 3
  const std::vector<Item> equal = items_of({4, 4, 4});
  EXPECT_EQ(deal(equal, 0, 2).size(), 2u) << "ties go to the lowest rank";
}

TEST(Packer, LetsRanksFinishTogether) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<Item> items = random_items(64, 128, seed);
    int64_t least = INT64_MAX, most = 0;
    for (int rank = 0; rank < 4; ++rank) {
      const int64_t tokens = tokens_of(deal(items, rank, 4));
      least = std::min(least, tokens);
      most = std::max(most, tokens);
    }
    EXPECT_LE(most - least, tokens_of(items) / 4 / 10) << seed;
  }
}

// Mutation: dropping `items.size() > 1` in spread() makes a long item impossible to place.
TEST(Packer, KeepsEveryBoundAndEveryItem) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const auto count = static_cast<int64_t>(derive_key(seed, "count") % 70);
    const auto max_tokens = 1 + static_cast<int64_t>(derive_key(seed, "tokens") % 400);
    const auto max_samples = static_cast<int64_t>(derive_key(seed, "samples") % 9);
    const std::vector<Item> items = random_items(count, 128, seed);
    for (const auto& packed : {pack(items, max_tokens, max_samples), pack_in_order(items, max_tokens, max_samples)}) {
      std::set<int64_t> seen;
      for (const std::vector<Item>& micro : packed) {
        ASSERT_FALSE(micro.empty()) << seed;
        EXPECT_TRUE(tokens_of(micro) <= max_tokens || micro.size() == 1) << seed;
        EXPECT_TRUE(max_samples == 0 || static_cast<int64_t>(micro.size()) <= max_samples) << seed;
        EXPECT_TRUE(std::is_sorted(micro.begin(), micro.end(),
                                   [](const Item& a, const Item& b) { return a.length > b.length; }));
        for (const Item& item : micro) EXPECT_TRUE(seen.insert(item.position).second) << seed;
      }
      EXPECT_EQ(static_cast<int64_t>(seen.size()), count) << seed;
    }
  }
}

TEST(Packer, UsesFewMicroBatchesWithTokensSpreadEvenly) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const std::vector<Item> items = random_items(64, 128, seed);
    const auto packed = pack(items, 1024, 0);
    const auto fewest = static_cast<size_t>((tokens_of(items) + 1023) / 1024);
    EXPECT_LE(packed.size(), fewest + 1) << seed;
    EXPECT_LE(tokens_of(packed.front()) - tokens_of(packed.back()), 128) << seed;
    EXPECT_GE(tokens_of(packed.front()), tokens_of(packed.back()));
  }
  EXPECT_EQ(pack(random_items(64, 128, 1), 1 << 20, 0).size(), 1u);
  EXPECT_EQ(pack(random_items(64, 128, 1), 1 << 20, 16).size(), 4u);
  EXPECT_TRUE(pack({}, 1024, 0).empty());
}

}  // namespace
}  // namespace sft
