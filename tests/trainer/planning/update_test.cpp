// The recurrence of overlapped buckets, worked by hand, and its limits.
#include "trainer/planning/update.h"

#include <gtest/gtest.h>

namespace sft::planning {
namespace {

using Kind = Operation::Kind;

// Over two ranks a sum of P bytes takes P seconds, and a reduce-scatter or an all-gather half of that.
const Fabric kTwo{.nodes = 1, .per_node = 2, .within = Link{.latency = 0, .bandwidth = 1}, .between = {}};
const Fabric kOne{.nodes = 1, .per_node = 1, .within = Link{.latency = 0, .bandwidth = 1}, .between = {}};

// Forward 10 s, backward 20 s, in which buckets of 4, 8 and 2 bytes are full after 5, 10 and 20 s; the optimizer 3 s.
TracedUpdate overlapped() {
  return {.computing = 33,
          .calls = {{.kind = Kind::start_all_reduce, .bytes = 4, .at = 15},
                    {.kind = Kind::start_all_reduce, .bytes = 8, .at = 20},
                    {.kind = Kind::start_all_reduce, .bytes = 2, .at = 30},
                    {.kind = Kind::wait, .waits_for = 0, .at = 30},
                    {.kind = Kind::wait, .waits_for = 1, .at = 30},
                    {.kind = Kind::wait, .waits_for = 2, .at = 30}}};
}

TracedUpdate at_the_end() {
  TracedUpdate update = overlapped();
  for (Called& call : update.calls)
    if (call.kind != Kind::wait) call.kind = Kind::all_reduce, call.at = 30;
  return update;
}

TEST(PlannedUpdate, HidesSumsBehindTheBackwardPassAndWaitsForTheLast) {
  // Ends at 15 + 4 = 19, max(19, 20) + 8 = 28 and max(28, 30) + 2 = 32; 12 s of computing are beside a sum.
  const double beside = 12 * kBesideSums / (1 + kBesideSums);
  const PlannedUpdate planned = plan_update(overlapped(), kTwo);
  EXPECT_NEAR(planned.waiting, 2, 1e-12);
  EXPECT_NEAR(planned.seconds, 33 + 2 + beside, 1e-12);
  EXPECT_DOUBLE_EQ(planned.computing, 33);
  EXPECT_DOUBLE_EQ(planned.collective, 14);
  EXPECT_DOUBLE_EQ(planned.bytes, 14);
}

TEST(PlannedUpdate, ABucketWaitsForTheOneBeforeIt) {
  TracedUpdate update = overlapped();
  update.calls[0].bytes = 12;  // 15 + 12 = 27, 27 + 8 = 35, 35 + 2 = 37: computing is beside sums from 15 to 30
  EXPECT_NEAR(plan_update(update, kTwo).waiting, 37 - 30 - 15 * kBesideSums, 1e-12);
}

TEST(PlannedUpdate, WithoutPeersOnlyComputes) {
  const PlannedUpdate planned = plan_update(overlapped(), kOne);
  EXPECT_DOUBLE_EQ(planned.seconds, 33);
  EXPECT_DOUBLE_EQ(planned.waiting, 0);
}

TEST(PlannedUpdate, StandsStillInCallsThatAreMadeAtOnce) {
  const PlannedUpdate planned = plan_update(at_the_end(), kTwo);
  EXPECT_DOUBLE_EQ(planned.waiting, 14);
  EXPECT_DOUBLE_EQ(planned.seconds, 33 + 14);
}

TEST(PlannedUpdate, GathersOfWeightsAreExposedBehindTheOptimizer) {
  TracedUpdate update = overlapped();
  for (Called& call : update.calls)
    if (call.kind == Kind::start_all_reduce) call.kind = Kind::start_reduce_scatter;
  update.calls.push_back({.kind = Kind::start_all_gather, .bytes = 14, .at = 33});
  update.calls.push_back({.kind = Kind::wait, .waits_for = 6, .at = 33});
  // Scattered at 17, 24 and 31, so that 1 s is waited for; then half of 14 s.
  EXPECT_NEAR(plan_update(update, kTwo).waiting, 1 + 7, 1e-12);
}

TEST(PlannedUpdate, AFasterDeviceReachesItsSumsSooner) {
  // Ready at 7.5, 10 and 15: 11.5, 19.5 and 21.5.
  const PlannedUpdate planned = plan_update(overlapped(), kTwo, 2);
  EXPECT_NEAR(planned.waiting, 21.5 - 15 - 7.5 * kBesideSums, 1e-12);
  EXPECT_DOUBLE_EQ(planned.computing, 16.5);
}

TEST(TracedUpdate, LeavesOutWhatTheCallsThemselvesTook) {
  imagined::Journal journal{{.kind = Kind::barrier, .begin = 1, .end = 2},
                            {.kind = Kind::start_all_reduce, .bytes = 40, .begin = 105, .end = 106},
                            {.kind = Kind::all_gather, .bytes = 8, .begin = 110, .end = 113},
                            {.kind = Kind::wait, .waits_for = 1, .begin = 114, .end = 114}};
  const TracedUpdate update = traced_update(journal, 1, 100, 120);
  EXPECT_DOUBLE_EQ(update.computing, 20 - 1 - 3);
  ASSERT_EQ(update.calls.size(), 3U);
  EXPECT_DOUBLE_EQ(update.calls[0].at, 5);
  EXPECT_DOUBLE_EQ(update.calls[1].at, 9);
  EXPECT_DOUBLE_EQ(update.calls[2].at, 10);
  EXPECT_EQ(update.calls[2].waits_for, 0U);
  EXPECT_DOUBLE_EQ(update.calls[0].bytes, 40);
}

}  // namespace
}  // namespace sft::planning
