// Targets are the next tokens of the same sequence, of rows whose next token is trained.
#include "trainer/tasks/causal_lm/rows/shifted_targets.h"

#include <gtest/gtest.h>

#include "trainer/tasks/causal_lm/rows/columns.h"

namespace sft::causal {
namespace {

using Ids = std::vector<int32_t>;
using Rows = std::vector<int64_t>;

void add(Batch& batch, const Ids& tokens, const Ids& spans, float weight = 1) {
  Sample sample(batch.schema);
  sample.cells[0].set(tokens);
  sample.cells[1].set(spans);
  sample.weight = weight;
  batch.append(sample);
}

Batch empty() { return Batch(sample_schema(100, 50)); }

TEST(ShiftedTargets, AreTheNextTokensOfTrainedOnes) {
  Batch batch = empty();
  add(batch, {10, 11, 12, 13, 14}, {2, 4});
  const ShiftedTargets got = shifted_targets(batch);
  EXPECT_EQ(got.rows, (Rows{1, 2}));
  EXPECT_EQ(got.targets, (Rows{12, 13}));
  EXPECT_EQ(target_weight(batch), 2);
}

TEST(ShiftedTargets, NeverCrossTheEndOfASequence) {
  Batch batch = empty();
  add(batch, {10, 11, 12}, {0, 3});
  add(batch, {20, 21}, {0, 2}, 0.5f);
  add(batch, {30}, {0, 1});
  add(batch, {40, 41, 42, 43}, {1, 2, 3, 4}, 2);
  const ShiftedTargets got = shifted_targets(batch);
  EXPECT_EQ(got.rows, (Rows{0, 1, 3, 6, 8})) << "rows 2, 4 and 5 end a sequence, and a first token is no target";
  EXPECT_EQ(got.targets, (Rows{11, 12, 21, 41, 43}));
  EXPECT_EQ(got.weights, (std::vector<float>{1, 1, 0.5f, 2, 2}));
  EXPECT_EQ(target_weight(batch), 6.5);
}

TEST(ShiftedTargets, MayBeNone) {
  Batch batch = empty();
  add(batch, {10, 11}, {});
  add(batch, {20, 21}, {0, 1});
  EXPECT_TRUE(shifted_targets(batch).rows.empty());
  EXPECT_EQ(target_weight(batch), 0);
}

}  // namespace
}  // namespace sft::causal
