#include "data/samples/folds.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "support/memory_dataset.h"

namespace sft::test {
namespace {

TEST(Folds, CutTheKeysIntoEqualParts) {
  EXPECT_EQ(fold_of(0, 5), 0);
  EXPECT_EQ(fold_of(std::numeric_limits<uint64_t>::max(), 5), 4);
  EXPECT_EQ(fold_of(uint64_t{1} << 63, 2), 1);
  EXPECT_EQ(fold_of((uint64_t{1} << 63) - 1, 2), 0);
  std::array<int, 7> counts{};
  for (uint64_t i = 0; i < 7000; ++i) ++counts[static_cast<size_t>(fold_of(derive_key(3, "key", i), 7))];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 120);
}

TEST(Folds, HoldOutEqualInputsTogetherWhateverTheirLabelsAndOrder) {
  const Schema schema = text_schema(label_column(4), 50);
  const auto of = [&](std::vector<int32_t> tokens, int64_t label) {
    Text text;
    text.tokens = std::move(tokens);
    text.label = label;
    return sample_of(schema, text);
  };
  const MemoryDataset one(schema, {of({1, 2}, 0), of({3}, 1), of({1, 2}, 2)}, 3),
      other(schema, {of({3}, 0), of({1, 2}, 0), of({2, 1}, 0)}, 3);
  EXPECT_EQ(key_of_inputs(one, 0, 7), key_of_inputs(one, 2, 7));
  EXPECT_EQ(key_of_inputs(one, 0, 7), key_of_inputs(other, 1, 7));
  EXPECT_EQ(key_of_inputs(one, 1, 7), key_of_inputs(other, 0, 7));
  EXPECT_NE(key_of_inputs(one, 0, 7), key_of_inputs(other, 2, 7));
  EXPECT_NE(key_of_inputs(one, 0, 7), key_of_inputs(one, 0, 8));
}

TEST(Folds, GiveTheChosenSamplesWithTheRowsTheyWereMadeOf) {
  const MemoryDataset base(20, 50, 3, 6, 1);
  const auto chosen = chosen_of(base, {2, 5, 19});
  ASSERT_EQ(chosen->size(), 3);
  EXPECT_EQ(chosen->row(1), 5);
  EXPECT_EQ(chosen->info().num_rows, 20);
  EXPECT_EQ(chosen->length(2), base.length(19));
  EXPECT_EQ(chosen->weight(0), base.weight(2));
  EXPECT_TRUE(text_of(*chosen, 1) == text_of(base, 5));
  EXPECT_NE(chosen->info().fingerprint, chosen_of(base, {2, 5, 18})->info().fingerprint);
}

}  // namespace
}  // namespace sft::test
