// A rank whose peers are imagined: what it gets from them, and what is written down.
#include "comm/imagined/imagined.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "base/errors.h"
#include "comm/agree.h"

namespace sft::imagined {
namespace {

using Kind = Operation::Kind;

struct Rank {
  std::shared_ptr<Journal> journal = std::make_shared<Journal>();
  std::unique_ptr<Communicator> control, gradients;

  explicit Rank(bool overlaps) {
    const World world{.rank = 1, .size = 4, .overlaps = overlaps};
    control = imagined::control(world, journal);
    gradients = imagined::gradients(world, journal);
  }
};

TEST(Imagined, PeersOfTheHostBringTheSame) {
  const Rank rank(false);
  EXPECT_EQ(sum(*rank.control, int64_t{5}), 20);
  EXPECT_DOUBLE_EQ(sum(*rank.control, 0.5), 2);
  EXPECT_EQ(max(*rank.control, 7), 7);
  EXPECT_EQ(gather_all(*rank.control, "facts"), std::vector<std::string>(4, "facts"));
  EXPECT_EQ(broadcast_from(*rank.control, "mine", 3), "mine");
}

TEST(Imagined, AnErrorIsEverybodysAndKeepsItsWords) {
  const Rank rank(false);
  try {
    together(*rank.control, [] { throw DataError("row 7"); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "row 7");
    EXPECT_EQ(error.code(), ExitCode::bad_content);
  }
}

TEST(Imagined, GradientsAndWeightsStayAsTheyAre) {
  const Rank rank(true);
  std::vector<float> values(8);
  std::iota(values.begin(), values.end(), 0.0F);
  const std::vector<float> before = values;
  const Buffer all = Buffer::of(std::span(values)), mine{values.data() + 2, 2, Element::f32};
  rank.gradients->start_all_reduce(all)->wait();
  rank.gradients->start_reduce_scatter(all, mine)->wait();
  rank.gradients->start_all_gather(mine, all)->wait();
  EXPECT_EQ(values, before);
}

TEST(Imagined, CallsAreWrittenDownInOrderAndWaitsSayForWhat) {
  const Rank rank(true);
  std::vector<float> values(8);
  const Buffer all = Buffer::of(std::span(values));
  auto first = rank.gradients->start_all_reduce(all);
  auto second = rank.gradients->start_all_reduce({values.data(), 3, Element::f32});
  second->wait();
  first->wait();
  rank.control->split(0, 0)->barrier();
  const Journal& journal = *rank.journal;
  ASSERT_EQ(journal.size(), 5U);
  EXPECT_EQ(journal[0].kind, Kind::start_all_reduce);
  EXPECT_EQ(journal[0].bytes, 32);
  EXPECT_EQ(journal[1].bytes, 12);
  EXPECT_EQ(journal[2].kind, Kind::wait);
  EXPECT_EQ(journal[2].waits_for, 1U);
  EXPECT_EQ(journal[3].waits_for, 0U);
  EXPECT_EQ(journal[4].kind, Kind::barrier);
  for (size_t i = 1; i < journal.size(); ++i) EXPECT_LE(journal[i - 1].end, journal[i].begin);
}

TEST(Imagined, AWorldThatDoesNotOverlapCallsAtOnce) {
  const Rank rank(false);
  std::vector<float> values(8);
  rank.gradients->start_all_reduce(Buffer::of(std::span(values)))->wait();
  EXPECT_EQ(rank.journal->front().kind, Kind::all_reduce);
}

}  // namespace
}  // namespace sft::imagined
