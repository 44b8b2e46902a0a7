// What a thread of its own adds to a communicator; its sums themselves are in the conformance suite.
#include "comm/overlapped.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "base/errors.h"
#include "comm/make_communicator.h"
#include "comm/solo/solo.h"
#include "comm/traced.h"

namespace sft {
namespace {

TEST(Overlapped, LetsTheCallerGoOnBeforeTheOthersCome) {
  std::promise<void> first_goes_on;
  spawn_ranks(2, [&](Communicator& outer) {
    const auto world = overlapped(outer.split(0, outer.rank()));
    EXPECT_TRUE(world->overlaps());
    EXPECT_FALSE(outer.overlaps());
    std::vector<float> values(1000, static_cast<float>(1 + world->rank()));
    if (world->rank() == 1) first_goes_on.get_future().wait();
    const auto work = world->start_all_reduce(Buffer::of(std::span(values)));
    if (world->rank() == 0) first_goes_on.set_value();
    work->wait();
    EXPECT_EQ(values, std::vector<float>(1000, 3.0f));
  });
}

TEST(Overlapped, IsSeenThroughWhatWatchesIt) {
  EXPECT_TRUE(traced(overlapped(solo::connect({})))->overlaps());
  EXPECT_FALSE(traced(solo::connect({}))->overlaps());
}

// Fails at everything.
class Broken final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 2; }
  std::string_view backend() const override { return "broken"; }
  void all_reduce(Buffer, Reduction) override { fail(); }
  void reduce_scatter(Buffer, Buffer) override { fail(); }
  void all_gather(Buffer, Buffer) override { fail(); }
  void broadcast(Buffer, int) override { fail(); }
  void barrier() override { fail(); }
  std::unique_ptr<Communicator> split(int, int) override { fail(); }

 private:
  [[noreturn]] static void fail() { throw CommError("rank 1 is gone"); }
};

TEST(Overlapped, HandsErrorsToWhoeverWaits) {
  const auto world = overlapped(std::make_unique<Broken>());
  std::vector<float> values(3);
  const auto work = world->start_all_reduce(Buffer::of(std::span(values)));
  EXPECT_THROW(work->wait(), CommError);
  EXPECT_THROW(world->barrier(), CommError);
  EXPECT_THROW(world->split(0, 0), CommError);
}

TEST(Overlapped, EndsWhatWasStartedBeforeItGoes) {
  std::vector<float> values(1 << 20, 1.0f);
  spawn_ranks(2, [&](Communicator& outer) {
    std::vector<float> own = values;
    { overlapped(outer.split(0, outer.rank()))->start_all_reduce(Buffer::of(std::span(own))); }
    EXPECT_EQ(own.front() + own.back(), 4.0f);
  });
}

}  // namespace
}  // namespace sft
