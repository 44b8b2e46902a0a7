#include "data/prepare/near_duplicates.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/random.h"

namespace sft::test {
namespace {

std::string word(uint64_t i) { return "w" + std::to_string(i); }

std::string words(uint64_t first, uint64_t count) {
  std::string text;
  for (uint64_t i = first; i < first + count; ++i) text += (text.empty() ? "" : " ") + word(i);
  return text;
}

TEST(NearDuplicates, EstimateTheJaccardSimilarityOfSetsOfFiveGrams) {
  for (const uint64_t shift : {0u, 3u, 10u, 30u, 60u}) {
    // 96 grams each, of which 96 − shift are common.
    const double wanted = static_cast<double>(96 - shift) / static_cast<double>(96 + shift);
    double sum = 0;
    for (uint64_t i = 0; i < 10; ++i)
      sum += similarity(*min_hash(words(i * 1000, 100)), *min_hash(words(i * 1000 + shift, 100)));
    EXPECT_NEAR(sum / 10, wanted, 0.05) << shift;
  }
}

TEST(NearDuplicates, AreFoundWhateverCaseAndPunctuation) {
  NearDuplicates texts;
  EXPECT_EQ(texts.add("The quick brown fox jumps over the lazy dog, and then it sleeps until noon."), 0);
  EXPECT_EQ(texts.add(words(1, 40)), 1);
  EXPECT_EQ(texts.add("\u6f22\u5b57\u6587\u672c\u7684\u4e00\u4e2a\u4f8b\u5b50"), 2);
  EXPECT_EQ(texts.add("two words"), 3);
  EXPECT_EQ(texts.add(" ... "), std::nullopt);
  const auto only = [&](std::string_view text) {
    const auto near = texts.near(text);
    return near.size() == 1 ? static_cast<int>(near[0].number) : -1;
  };
  EXPECT_EQ(only("the quick brown fox jumps over the lazy dog -- AND THEN it sleeps until noon"), 0);
  EXPECT_EQ(only(words(1, 40) + " and"), 1);
  EXPECT_EQ(only("\u6f22\u5b57\u6587\u672c\u7684\u4e00\u4e2a\u4f8b\u5b50\u3002"), 2);
  EXPECT_EQ(only("Two words!"), 3);
  EXPECT_EQ(only("two"), -1);
  EXPECT_EQ(only(" ... "), -1);
  EXPECT_EQ(only(words(21, 40)), -1);
}

TEST(NearDuplicates, AreComparedOnceWhereTextsAreEqual) {
  NearDuplicates texts;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(texts.add(words(1, 40) + (i % 2 == 0 ? "" : " !")), 0);
  EXPECT_EQ(texts.add(words(1001, 40)), 1);
  EXPECT_EQ(texts.near(words(1, 40)).size(), 1);
}

TEST(NearDuplicates, AreMissedSeldomAtTheLeastSimilarityAndNeverFoundFarBelow) {
  int found = 0, strangers = 0;
  NearDuplicates texts(0.5);
  for (uint64_t i = 0; i < 200; ++i) texts.add(words(i * 1000, 100));
  for (uint64_t i = 0; i < 200; ++i) {
    for (const auto& near : texts.near(words(i * 1000 + 14, 100))) found += near.number == i;
    strangers += static_cast<int>(texts.near(words(i * 1000 + 70, 100)).size());
  }
  EXPECT_GE(found, 196) << "of 200 at a similarity of 0.75";
  EXPECT_EQ(strangers, 0) << "at 0.16";
}

}  // namespace
}  // namespace sft::test
