// What collectives take, by hand; links found again from times.
#include "trainer/planning/links.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "trainer/planning/known_links.h"

namespace sft::planning {
namespace {

using Kind = Operation::Kind;

constexpr Link kSlow{.latency = 20e-6, .bandwidth = 1e9}, kFast{.latency = 1e-6, .bandwidth = 100e9};

Fabric node_of(int ranks, const Link& link) { return {.nodes = 1, .per_node = ranks, .within = link, .between = {}}; }

TEST(Links, ASumSendsEachByteToAllOthersAndBack) {
  // Four ranks: two steps there and two back, 2 · 3/4 of 8 MB at 1 GB/s.
  EXPECT_NEAR(seconds_of(node_of(4, kSlow), Kind::all_reduce, 8e6), 4 * 20e-6 + 12e-3, 1e-12);
  EXPECT_NEAR(seconds_of(node_of(4, kSlow), Kind::start_reduce_scatter, 8e6), 2 * 20e-6 + 6e-3, 1e-12);
  EXPECT_NEAR(seconds_of(node_of(4, kSlow), Kind::start_all_gather, 8e6), 2 * 20e-6 + 6e-3, 1e-12);
  EXPECT_NEAR(seconds_of(node_of(4, kSlow), Kind::broadcast, 8e6), 2 * 20e-6 + 8e-3, 1e-12);
  EXPECT_NEAR(seconds_of(node_of(5, kSlow), Kind::barrier, 0), 3 * 20e-6, 1e-12);
}

TEST(Links, OneRankSendsNothing) {
  for (const Kind kind : {Kind::all_reduce, Kind::all_gather, Kind::broadcast, Kind::barrier})
    EXPECT_EQ(seconds_of(node_of(1, kSlow), kind, 8e6), 0);
}

TEST(Links, NodesAddTheirLatencyAndTheSlowerTransferCounts) {
  const Fabric two_of_four{.nodes = 2, .per_node = 4, .within = kFast, .between = kSlow};
  EXPECT_NEAR(seconds_of(two_of_four, Kind::all_reduce, 8e6), 4 * 1e-6 + 2 * 20e-6 + 8e-3, 1e-12);
  const Fabric turned{.nodes = 2, .per_node = 4, .within = kSlow, .between = kFast};
  EXPECT_NEAR(seconds_of(turned, Kind::all_reduce, 8e6), 4 * 20e-6 + 2 * 1e-6 + 12e-3, 1e-12);
}

std::vector<TimedSum> times_of(const Link& link, int ranks) {
  std::vector<TimedSum> sums;
  for (int64_t bytes = 4096; bytes <= 64 << 20; bytes *= 4)
    sums.push_back({bytes, seconds_of(node_of(ranks, link), Kind::all_reduce, static_cast<double>(bytes))});
  return sums;
}

TEST(Links, AreFoundAgainFromTheTimesThatTheyGive) {
  for (const int ranks : {2, 3, 8}) {
    const Link found = fit(times_of(kSlow, ranks), ranks);
    EXPECT_NEAR(found.latency, kSlow.latency, 1e-10);
    EXPECT_NEAR(found.bandwidth / kSlow.bandwidth, 1, 1e-9);
  }
}

TEST(Links, SmallSumsCountAsMuchAsLargeOnes) {
  std::vector<TimedSum> sums = times_of(kSlow, 2);
  for (size_t i = 0; i < sums.size(); ++i) sums[i].seconds *= i % 2 == 0 ? 1.1 : 0.9;
  const Link found = fit(sums, 2);
  EXPECT_NEAR(found.latency / kSlow.latency, 1, 0.1);
  EXPECT_NEAR(found.bandwidth / kSlow.bandwidth, 1, 0.15);
}

TEST(Links, NoConstantIsBelowZero) {
  EXPECT_EQ(fit(std::vector<TimedSum>{{1000, 1e-6}, {4000, 8e-6}}, 2).latency, 0);
  EXPECT_TRUE(std::isinf(fit(std::vector<TimedSum>{{1000, 2e-6}, {4000, 1e-6}}, 2).bandwidth));
}

TEST(KnownLinks, TakesWhatIsGivenBeforeWhatWasMeasured) {
  const MeasuredLink measured{.link = kFast, .ranks = 2, .nodes = 1};
  const KnownLinks known = known_links(1, 8, kSlow, measured);
  EXPECT_EQ(known.refusal, "");
  EXPECT_EQ(known.fabric.within->bandwidth, kSlow.bandwidth);
  EXPECT_FALSE(known.fabric.between);
}

TEST(KnownLinks, UsesWhatOneNodeMeasuredWithinTheNodesOfThePlan) {
  const MeasuredLink measured{.link = kFast, .ranks = 2, .nodes = 1};
  const KnownLinks known = known_links(4, 8, kSlow, measured);
  EXPECT_EQ(known.fabric.within->bandwidth, kFast.bandwidth);
  EXPECT_EQ(known.fabric.between->bandwidth, kSlow.bandwidth);
}

TEST(KnownLinks, RefusesWhereNobodyMeasuredTheSlowestLinks) {
  const MeasuredLink on_a_node{.link = kFast, .ranks = 2, .nodes = 1}, over_nodes{.link = kSlow, .ranks = 4, .nodes = 2};
  EXPECT_NE(known_links(1, 8, {}, {}).refusal, "");
  EXPECT_NE(known_links(2, 8, {}, on_a_node).refusal.find("between nodes"), std::string::npos);
  EXPECT_NE(known_links(1, 8, {}, over_nodes).refusal, "");
  EXPECT_EQ(known_links(4, 1, {}, over_nodes).refusal, "");
  EXPECT_EQ(known_links(1, 1, {}, {}).refusal, "");
}

}  // namespace
}  // namespace sft::planning
