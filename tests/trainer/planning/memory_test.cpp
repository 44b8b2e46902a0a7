// Parts of a rank's memory by hand, and what is said where they are too much.
#include "trainer/planning/memory.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sft::planning {
namespace {

constexpr int64_t kMiB = 1 << 20;

// 128 MiB that train, in float32: divisible by the ranks and rows of a norm below.
Weighed adam() {
  return {.trained = 128 * kMiB,
          .others = 10 * kMiB,
          .copies = 64 * kMiB,
          .moments = 2,
          .activations = 300 * kMiB,
          .tokens = 3000,
          .bucket = 25 * kMiB,
          .largest_trained = 40 * kMiB,
          .program = 150 * kMiB};
}

TEST(PlannedMemory, ReplicatedHoldsAllOfIt) {
  const Memory memory = plan_memory(adam(), "replicated", 4);
  EXPECT_EQ(memory.weights, 138 * kMiB);
  EXPECT_EQ(memory.gradients, 128 * kMiB);
  EXPECT_EQ(memory.moments, 256 * kMiB);
  EXPECT_EQ(memory.buckets, 0);
  EXPECT_EQ(memory.peak(), (138 + 64 + 128 + 256 + 300 + 150) * kMiB);
}

TEST(PlannedMemory, Zero1SharesOutMomentsAndZero2GradientsToo) {
  const Memory one = plan_memory(adam(), "zero1", 4), two = plan_memory(adam(), "zero2", 4);
  EXPECT_EQ(one.gradients, 128 * kMiB);
  EXPECT_EQ(one.moments, 64 * kMiB);
  EXPECT_EQ(two.gradients, 32 * kMiB);
  EXPECT_EQ(two.moments, 64 * kMiB);
  for (const std::string_view strategy : kStrategies) {
    EXPECT_EQ(plan_memory(adam(), strategy, 1).moments, 256 * kMiB);
    EXPECT_EQ(plan_memory(adam(), strategy, 1).gradients, 128 * kMiB);
  }
}

TEST(PlannedMemory, WhatAProcessHadBesideIsToldAndComesToThePeak) {
  Weighed run = adam();
  const int64_t counted = plan_memory(run, "zero1", 4).peak();
  EXPECT_EQ(kept_of(run, "zero1", 4, counted + 70 * kMiB), 70 * kMiB);
  EXPECT_EQ(kept_of(run, "zero1", 4, counted - 1), 0) << "a process cannot hold less than nothing beside";
  run.kept = kept_of(run, "zero1", 4, counted + 70 * kMiB);
  EXPECT_EQ(plan_memory(run, "zero1", 4).peak(), counted + 70 * kMiB);
  EXPECT_EQ(kept_of(run, "zero1", 4, counted + 70 * kMiB), 70 * kMiB) << "what is kept does not count twice";
  EXPECT_EQ(plan_memory(run, "replicated", 4).kept, 70 * kMiB);
}

TEST(PlannedMemory, TheLastRankHasWhatIsNotDivisible) {
  Weighed run = adam();
  run.trained = 4 * 1024 * 4 + 100 * 4;  // one row of each of four ranks, and 100 values
  EXPECT_EQ(plan_memory(run, "zero1", 4).moments, 2 * (1024 * 4 + 100 * 4));
  run.trained = 100 * 4;  // less than a row of each
  EXPECT_EQ(plan_memory(run, "zero1", 4).moments, 2 * 100 * 4);
}

TEST(PlannedMemory, Zero2HoldsBucketsInFlightOrAllOfThemInPlaceOfActivations) {
  Weighed run = adam();
  run.overlaps = true;
  EXPECT_EQ(plan_memory(run, "zero2", 4).buckets, (3 * 25 + 40) * kMiB);
  run.bucket = 100 * kMiB;
  EXPECT_EQ(plan_memory(run, "zero2", 4).buckets, 128 * kMiB) << "no more than there are";
  run.overlaps = false;
  EXPECT_EQ(plan_memory(run, "zero2", 4).buckets, 0) << "activations were more";
  run.activations = 20 * kMiB;
  EXPECT_EQ(plan_memory(run, "zero2", 4).buckets, 108 * kMiB);
}

TEST(PlannedMemory, Zero3HoldsItsPartAndStagesThatAreRead) {
  Weighed run = adam();
  run.largest_stage = 20 * kMiB;
  const Memory memory = plan_memory(run, "zero3", 4);
  EXPECT_EQ(memory.weights, (32 + 10 + 20) * kMiB);
  EXPECT_EQ(memory.gradients, 32 * kMiB);
  EXPECT_EQ(memory.moments, 64 * kMiB);
  EXPECT_EQ(memory.buckets, 128 * kMiB) << "no more than there are";
  EXPECT_EQ(memory.whole, (32 + 128 + 10 + 64 + 32 + 64 + 150) * kMiB);
  EXPECT_EQ(memory.peak(), memory.in_update());
  run.overlaps = true, run.bucket = kMiB, run.activations = 0;
  EXPECT_EQ(plan_memory(run, "zero3", 4).weights, (32 + 10 + 40) * kMiB);
  EXPECT_EQ(plan_memory(run, "zero3", 4).buckets, (3 + 40 + 20) * kMiB);
  EXPECT_EQ(plan_memory(run, "zero2", 4).whole, 0);
}

// 7 B parameters under Adam in float32, on 8 ranks: 16 bytes a parameter and rank, and two of 32 blocks.
TEST(PlannedMemory, OfADecoderOfSevenBillionsIsSharedOut) {
  const int64_t gib = 1024 * kMiB, trained = 4 * int64_t{7'000'000'000} / (8 * 1024 * 4) * (8 * 1024 * 4);
  const Weighed run{.trained = trained, .bucket = 25 * kMiB, .largest_stage = trained / 32, .overlaps = true};
  const Memory memory = plan_memory(run, "zero3", 8);
  EXPECT_EQ(memory.weights + memory.gradients + memory.moments, 4 * trained / 8 + 2 * (trained / 32));
  EXPECT_LT(memory.weights + memory.gradients + memory.moments, 17 * gib);
}

TEST(PlannedMemory, TheStartHoldsWeightsTwiceAndAllGradients) {
  Weighed run = adam();
  run.activations = 0, run.copies = 0, run.overlaps = true, run.bucket = kMiB, run.largest_trained = kMiB;
  const Memory memory = plan_memory(run, "zero2", 64);
  EXPECT_EQ(memory.start, (3 * 128 + 10 + 150) * kMiB);
  EXPECT_LT(memory.in_update(), memory.start);
  EXPECT_EQ(memory.peak(), memory.start);
}

TEST(PlannedMemory, ACheckpointOfADeviceIsCopiedToItsHost) {
  Weighed run = adam();
  EXPECT_EQ(plan_memory(run, "zero1", 4).host_copies, 0);
  run.on_device = true;
  EXPECT_EQ(plan_memory(run, "zero1", 4).host_copies, (138 + 64) * kMiB);
  EXPECT_EQ(plan_memory(run, "replicated", 4).host_copies, (138 + 256) * kMiB);
}

bool says(const std::vector<std::string>& ways, const std::string& word) {
  return std::ranges::any_of(ways, [&](const std::string& way) { return way.find(word) != std::string::npos; });
}

TEST(WaysToFit, AreNoneWhereItFitsOrNobodyKnowsTheRoom) {
  EXPECT_TRUE(ways_to_fit(adam(), {.bytes = 1036 * kMiB, .ranks = 4}).empty());
  EXPECT_TRUE(ways_to_fit(adam(), {.bytes = 0, .ranks = 4}).empty());
}

TEST(WaysToFit, FewerTokensAtOnceWhereActivationsAreTooMany) {
  // 736 MiB are no activations, so 100 of 300 are left for 1,000 of 3,000 tokens.
  const auto ways = ways_to_fit(adam(), {.bytes = 836 * kMiB, .ranks = 4});
  EXPECT_TRUE(says(ways, "train.max_tokens_per_micro_batch = 1000"));
  EXPECT_TRUE(says(ways, "train.gradient_checkpointing = true"));
  EXPECT_FALSE(says(ways_to_fit(adam(), {.bytes = 836 * kMiB, .ranks = 4, .recomputes = true}), "checkpointing"));
}

TEST(WaysToFit, AnotherStrategyOrMoreRanks) {
  EXPECT_TRUE(says(ways_to_fit(adam(), {.bytes = 900 * kMiB, .ranks = 4}), "parallel.strategy = \"zero1\""));
  Weighed run = adam();
  run.activations = 0;
  EXPECT_EQ(ways_to_fit(run, {.bytes = 640 * kMiB, .ranks = 2, .strategy = "zero2"}),
            std::vector<std::string>{"parallel.strategy = \"zero1\""})
      << "zero3 is not built for every model";
  EXPECT_EQ(ways_to_fit(run, {.bytes = 640 * kMiB, .ranks = 2, .strategy = "zero2", .may_spread_weights = true}),
            (std::vector<std::string>{"parallel.strategy = \"zero1\"", "parallel.strategy = \"zero3\""}));
  run.overlaps = true;  // 138 + 64 + 150 + 115 and 384 / ranks MiB
  EXPECT_EQ(ways_to_fit(run, {.bytes = 567 * kMiB, .ranks = 2, .strategy = "zero2"}),
            std::vector<std::string>{"parallel.strategy = \"zero2\" on 4 ranks"});
}

TEST(WaysToFit, AnotherModelWhereNoKeyHelps) {
  Weighed run = adam();
  run.activations = 0;
  EXPECT_TRUE(says(ways_to_fit(run, {.bytes = 100 * kMiB, .ranks = 4}), "[lora]"));
  EXPECT_TRUE(says(ways_to_fit(run, {.bytes = 100 * kMiB, .ranks = 4, .is_frozen = true}), "a smaller model"));
}

}  // namespace
}  // namespace sft::planning
