#include "trainer/tasks/seq2seq_lm/rows/fed_targets.h"

#include <gtest/gtest.h>

#include "trainer/tasks/seq2seq_lm/rows/columns.h"

namespace sft::seq2seq {
namespace {

// The second target is empty, as that of a row that is only to be translated.
Batch three_pairs() {
  const Schema schema = sample_schema(50, 50);
  Batch batch(schema);
  Sample sample(schema);
  for (const auto& [target, weight] : {std::pair{std::vector<int32_t>{7, 8, 1}, 0.5f},
                                       {std::vector<int32_t>{}, 3.0f},
                                       {std::vector<int32_t>{9}, 2.0f}}) {
    sample.cells[0].set(std::vector<int32_t>{4, 1});
    sample.cells[1].set(target);
    sample.weight = weight;
    batch.append(sample);
  }
  return batch;
}

TEST(FedTargets, ARowIsFedWithTheTokenBeforeItAndAnswersWithItsOwn) {
  const FedTargets rows = fed_targets(three_pairs(), 33);
  EXPECT_EQ(rows.fed, (std::vector<int32_t>{33, 7, 8, 33}));
  EXPECT_EQ(rows.targets, (std::vector<int64_t>{7, 8, 1, 9}));
  EXPECT_EQ(rows.weights, (std::vector<float>{0.5f, 0.5f, 0.5f, 2.0f}));
}

TEST(FedTargets, TheirWeightIsThatOfAllTargetTokens) { EXPECT_EQ(target_weight(three_pairs()), 3 * 0.5 + 2.0); }

}  // namespace
}  // namespace sft::seq2seq
