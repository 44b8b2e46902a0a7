// The order of samples.
#include "data/loading/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/errors.h"
#include "support/memory_dataset.h"

namespace sft {
namespace {

std::vector<int64_t> epoch_of(const Sampler& sampler, int64_t epoch) {
  std::vector<int64_t> order;
  for (int64_t p = 0; p < sampler.size(); ++p) order.push_back(sampler.index(epoch, p));
  return order;
}

class EverySampler : public ::testing::TestWithParam<const char*> {};

TEST_P(EverySampler, VisitsEverySampleOnceAnEpoch) {
  for (const int64_t size : {1, 2, 7, 32, 1601, 3333}) {
    const MemoryDataset dataset(size, 100, 3, 60, 1);
    const auto sampler = make_sampler(GetParam(), dataset, 5, 32);
    ASSERT_EQ(sampler->size(), size);
    for (const int64_t epoch : {0, 1, 1000}) {
      std::vector<int64_t> order = epoch_of(*sampler, epoch), all(static_cast<size_t>(size));
      std::sort(order.begin(), order.end());
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(order, all) << size;
    }
  }
}

TEST_P(EverySampler, IsAPureFunctionOfSeedEpochAndPosition) {
  const MemoryDataset dataset(3333, 100, 3, 60, 1);
  const auto a = make_sampler(GetParam(), dataset, 5, 32), b = make_sampler(GetParam(), dataset, 5, 32);
  const std::vector<int64_t> order = epoch_of(*a, 2);
  for (const int64_t p : {3000, 5, 1700, 0, 3332, 1599, 1600}) {
    b->index(p % 3, p / 2);  // what was asked before does not matter
    EXPECT_EQ(b->index(2, p), order[static_cast<size_t>(p)]);
  }
}

INSTANTIATE_TEST_SUITE_P(Sampler, EverySampler, ::testing::Values("random", "sequential", "group_by_length"));

TEST(Sampler, OrdersEachEpochAndSeedAnew) {
  const MemoryDataset dataset(500, 100, 3, 60, 1);
  for (const char* strategy : {"random", "group_by_length"}) {
    const auto one = make_sampler(strategy, dataset, 5, 32), two = make_sampler(strategy, dataset, 6, 32);
    EXPECT_NE(epoch_of(*one, 0), epoch_of(*one, 1));
    EXPECT_NE(epoch_of(*one, 0), epoch_of(*two, 0));
  }
  const auto sequential = make_sampler("sequential", dataset, 5, 32);
  EXPECT_EQ(sequential->index(3, 77), 77);
}

TEST(Sampler, GroupsLikeLengthsInABatchAndLeavesBatchesShuffled) {
  const int64_t batch = 16, size = 50 * batch * 3 + 5;
  const MemoryDataset dataset(size, 100, 3, 100, 1);
  const auto spread = [&](const char* strategy) {  // mean of longest − shortest in a batch
    const auto sampler = make_sampler(strategy, dataset, 5, batch);
    const std::vector<int64_t> order = epoch_of(*sampler, 0);
    double sum = 0;
    for (int64_t b = 0; b < size / batch; ++b) {
      int64_t least = INT64_MAX, most = 0;
      for (int64_t i = b * batch; i < (b + 1) * batch; ++i) {
        least = std::min(least, dataset.length(order[static_cast<size_t>(i)]));
        most = std::max(most, dataset.length(order[static_cast<size_t>(i)]));
      }
      sum += static_cast<double>(most - least);
    }
    return sum / static_cast<double>(size / batch);
  };
  EXPECT_LT(spread("group_by_length"), 5);
  EXPECT_GT(spread("random"), 60);

  const auto sampler = make_sampler("group_by_length", dataset, 5, batch);
  std::vector<int64_t> firsts;
  for (int64_t b = 0; b < 50; ++b) firsts.push_back(dataset.length(sampler->index(0, b * batch)));
  EXPECT_EQ(firsts[0], *std::max_element(firsts.begin(), firsts.end())) << "the longest batch comes first";
  EXPECT_FALSE(std::is_sorted(firsts.rbegin(), firsts.rend()));
}

TEST(Sampler, RefusesAStrategyItDoesNotKnow) {
  const MemoryDataset dataset(5, 100, 3, 60, 1);
  EXPECT_THROW(make_sampler("balance", dataset, 5, 32), ConfigError);
}

}  // namespace
}  // namespace sft
