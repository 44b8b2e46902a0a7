// How a batch is cut for attention on a device: every sequence once, no group that costs far more than its rows.
#include "trainer/models/blocks/sequence_groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace sft {
namespace {

struct Cut {
  explicit Cut(const std::vector<int64_t>& lengths_in) : lengths(lengths_in) {
    std::vector<int64_t> offsets{0};
    for (const int64_t length : lengths) offsets.push_back(offsets.back() + length);
    groups = group_sequences(offsets, offsets, order);
  }
  int64_t length_at(int64_t place) const { return lengths[static_cast<size_t>(order[static_cast<size_t>(place)])]; }

  std::vector<int64_t> lengths, order;
  std::vector<SequenceGroup> groups;
};

TEST(SequenceGroups, HoldEverySequenceOnceUnderTheirLongest) {
  const Cut cut({600, 8, 300, 299, 150, 20, 1, 77, 140, 512, 0});
  std::vector<int64_t> sorted = cut.order;
  std::ranges::sort(sorted);
  for (size_t i = 0; i < sorted.size(); ++i) EXPECT_EQ(sorted[i], static_cast<int64_t>(i));
  int64_t next = 0;
  for (const SequenceGroup& group : cut.groups) {
    EXPECT_EQ(group.first, next);
    EXPECT_EQ(group.longest, cut.length_at(group.first));
    for (int64_t i = group.first; i < group.first + group.count; ++i) EXPECT_LE(cut.length_at(i), group.longest);
    next += group.count;
  }
  EXPECT_EQ(next, static_cast<int64_t>(cut.lengths.size()));
}

TEST(SequenceGroups, AreOneWhereThatIsCheap) {
  EXPECT_EQ(Cut({128, 12, 3, 90, 77}).groups.size(), 1U);
  EXPECT_TRUE(Cut({}).groups.empty());
}

// 3,000 short texts padded to the one long one would need 3 GB a head in float32.
TEST(SequenceGroups, KeepAFewLongOnesFromManyShortOnes) {
  std::vector<int64_t> lengths(3000, 12);
  lengths.push_back(512);
  const Cut cut(lengths);
  ASSERT_EQ(cut.groups.size(), 2U);
  EXPECT_LE(cut.groups[0].count * cut.groups[0].longest * cut.groups[0].longest, 1 << 20);
  EXPECT_EQ(cut.groups[1].longest, 12);
}

}  // namespace
}  // namespace sft
