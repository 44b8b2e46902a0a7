// Tracing, verification and the watchdog, over ranks as threads; processes in faults_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>

#include "base/errors.h"
#include "base/progress.h"
#include "base/timeline.h"
#include "comm/agree.h"
#include "comm/make_communicator.h"
#include "comm/solo/solo.h"
#include "comm/traced.h"
#include "comm/verified.h"
#include "comm/watchdog.h"

namespace sft {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> names_of(const std::vector<timeline::Event>& events) {
  std::vector<std::string> names;
  for (const timeline::Event& event : events) names.push_back(event.name);
  return names;
}

TEST(Traced, MakesSpansOfCallsAndOfThoseOfParts) {
  const auto world = traced(solo::connect({}));
  std::vector<float> values(10);
  world->barrier();
  timeline::start();
  world->all_reduce(Buffer::of(std::span(values)), Reduction::max);
  world->start_all_reduce(Buffer::of(std::span(values)))->wait();
  world->split(0, 0)->broadcast(Buffer::of(std::span(values)), 0);
  const auto names = names_of(timeline::stop());
  world->barrier();
  EXPECT_EQ(names, (std::vector<std::string>{"all_reduce of 10 f32 by max", "start_all_reduce of 10 f32", "wait",
                                             "split", "broadcast of 10 f32 from rank 0"}));
}

TEST(Traced, MeasuresTheWaitForOthers) {
  timeline::start();
  spawn_ranks(2, [](Communicator& outer) {
    const auto world = traced(outer.split(0, outer.rank()));
    if (world->rank() == 1) std::this_thread::sleep_for(50ms);
    world->barrier();
  });
  const auto events = timeline::stop();
  ASSERT_EQ(names_of(events), (std::vector<std::string>{"barrier", "barrier"}));
  EXPECT_GE(std::max(events[0].seconds, events[1].seconds), 0.03);
  EXPECT_NE(events[0].thread, events[1].thread);
}

// What rank 0 of three gets when rank 2 calls something else.
std::string mismatch(const std::function<void(Communicator&)>& usual, const std::function<void(Communicator&)>& other) {
  std::string message;
  spawn_ranks(3, [&](Communicator& outer) {
    const auto world = verified(outer.split(0, outer.rank()));
    world->barrier();
    try {
      (world->rank() == 2 ? other : usual)(*world);
      ADD_FAILURE() << "rank " << world->rank() << " noticed nothing";
    } catch (const CommError& error) {
      if (world->rank() == 0) message = error.what();
    }
  });
  return message;
}

TEST(Verified, NamesTheRankThatCallsSomethingElse) {
  std::vector<std::vector<float>> storage(3, std::vector<float>(8));
  const auto buffer = [&](Communicator& world, size_t count) {
    return Buffer::of(std::span(storage[static_cast<size_t>(world.rank())]).first(count));
  };
  const auto reduce = [&](Communicator& world) { world.all_reduce(buffer(world, 8), Reduction::sum); };
  EXPECT_EQ(mismatch(reduce, [&](Communicator& world) { world.all_reduce(buffer(world, 7), Reduction::sum); }),
            "ranks call different collectives: rank 2 call 2, all_reduce of 7 f32 by sum; rank 0 call 2, all_reduce of "
            "8 f32 by sum");
  EXPECT_NE(
      mismatch(reduce, [&](Communicator& world) { world.all_reduce(buffer(world, 8), Reduction::max); }).find("by max"),
      std::string::npos);
  EXPECT_NE(mismatch(reduce, [&](Communicator& world) { world.barrier(); }).find("rank 2 call 2, barrier"),
            std::string::npos);
  EXPECT_NE(mismatch([&](Communicator& world) { world.broadcast(buffer(world, 8), 0); },
                     [&](Communicator& world) { world.broadcast(buffer(world, 8), 1); })
                .find("from rank 1"),
            std::string::npos);
}

TEST(Verified, LetsMatchingCallsThrough) {
  spawn_ranks(3, [](Communicator& outer) {
    const auto world = verified(outer.split(0, outer.rank()));
    EXPECT_EQ(sum(*world, int64_t{2}), 6);
    EXPECT_EQ(sum(*world->split(world->rank() % 2, 0), int64_t{1}), world->rank() == 1 ? 1 : 2);
  });
}

// So long that a thread gets its turn within it on a machine that does much else.
constexpr double kLimit = 1.0;

// A piece of work of several limits, with signs of life.
void work(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (; std::chrono::steady_clock::now() < end; beat()) std::this_thread::sleep_for(20ms);
}

// Ranks as threads of a process that the watchdog ends.
class WatchdogDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { ::testing::FLAGS_gtest_death_test_style = "threadsafe"; }

  static void run(int size, const std::function<void(Communicator&)>& body) {
    spawn_ranks(size, [&](Communicator& outer) {
      Watchdog watchdog(outer, "host7", kLimit);
      const auto world = watchdog.watch(outer.split(0, outer.rank()));
      body(*world);
    });
  }
};

TEST_F(WatchdogDeathTest, NamesTheRankThatDoesNotCome) {
  const auto hang = [] {
    run(3, [](Communicator& world) {
      world.barrier();
      progress().step = 57;
      progress().set_phase("forward");
      if (world.rank() == 1) std::this_thread::sleep_for(60s);
      sum(world, 1.0);
    });
  };
  EXPECT_EXIT(
      hang(), ::testing::ExitedWithCode(76),
      "late: rank 1, host host7, sequence 1 barrier done, step 57 in forward; others at sequence 2 all_reduce of 8 B");
}

TEST_F(WatchdogDeathTest, LeavesAWordBeforeTheEnd) {
  const auto hang = [] {
    spawn_ranks(2, [](Communicator& outer) {
      Watchdog watchdog(outer, "host7", kLimit, [](ExitCode, const std::string& message) {
        std::fprintf(stderr, "word: %s\n", message.c_str());
      });
      const auto world = watchdog.watch(outer.split(0, outer.rank()));
      if (world->rank() == 0) std::this_thread::sleep_for(60s);
      world->barrier();
    });
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(76), "word: late: rank 0");
}

TEST_F(WatchdogDeathTest, NamesTheRankThatDoesNotComeToAConnection) {
  const auto hang = [] {
    spawn_ranks(2, [](Communicator& outer) {
      Watchdog watchdog(outer, "host7", kLimit);
      const Phase phase("connect");
      if (outer.rank() == 0) std::this_thread::sleep_for(60s);
      watchdog.connect([&] { return outer.split(0, 0); });
    });
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(76),
              "late: rank 0, host host7, before any collective, in connect; others at sequence 1 connect of 0 B");
}

TEST_F(WatchdogDeathTest, NamesTheOtherHostsWhereAllOfItsOwnWait) {
  const auto hang = [] {
    spawn_ranks(2, [](Communicator& outer) {
      Watchdog watchdog(outer, outer.rank() == 0 ? "near" : "far", kLimit);
      const auto world = watchdog.watch(outer.split(0, outer.rank()));
      if (world->rank() == 1) std::this_thread::sleep_for(60s);
      world->barrier();
    });
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(76), "late: no rank of host near, all at .*; look at far");
}

TEST_F(WatchdogDeathTest, NamesTheStuckRankBesideOneThatWorked) {
  const auto hang = [] {
    run(3, [](Communicator& world) {
      if (world.rank() == 1) std::this_thread::sleep_for(60s);
      if (world.rank() == 0) work(2 * kLimit);
      world.barrier();
    });
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(76), "late: rank 1, host host7, before any collective; others");
}

TEST(Watchdog, WaitsForARankThatWorksAsLongAsItGivesSignsOfLife) {
  spawn_ranks(3, [](Communicator& outer) {
    Watchdog watchdog(outer, "here", kLimit);
    const auto world = watchdog.watch(outer.split(0, outer.rank()));
    if (world->rank() == 1) work(2 * kLimit);
    world->barrier();
  });
}

// Each of its calls takes a while.
class Slow final : public Observed {
 public:
  explicit Slow(std::unique_ptr<Communicator> inner) : Observed(std::move(inner)) {}

 private:
  void begin(const Operation&) override { std::this_thread::sleep_for(200ms); }
  void end(const Operation&) noexcept override {}
  std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> part) override { return part; }
};

TEST(Watchdog, CountsFromTheLastRankToComeWhereAllWait) {
  spawn_ranks(2, [](Communicator& outer) {
    Watchdog watchdog(outer, "here", kLimit);
    const auto world = watchdog.watch(std::make_unique<Slow>(outer.split(0, outer.rank())));
    if (world->rank() == 1) work(1.5 * kLimit);
    world->barrier();
  });
}

TEST(Watchdog, MindsNeitherLongComputationNorManyCalls) {
  spawn_ranks(2, [](Communicator& outer) {
    Watchdog watchdog(outer, "here", kLimit);
    const auto world = watchdog.watch(outer.split(0, outer.rank()));
    for (int i = 0; i < 2000; ++i) world->barrier();
    std::this_thread::sleep_for(1200ms);
    world->barrier();
  });
}

}  // namespace
}  // namespace sft
