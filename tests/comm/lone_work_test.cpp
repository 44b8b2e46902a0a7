// Ranks as threads, each of a host of its own, which sees no sign of life of another's.
#include "comm/lone_work.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "base/errors.h"
#include "base/progress.h"
#include "comm/make_communicator.h"
#include "comm/watchdog.h"

namespace sft {
namespace {

using namespace std::chrono_literals;

constexpr double kHostsLimit = 1.5;  // seconds, more than the ranks' way to meet

void over_hosts(const std::function<void(Communicator&)>& body) {
  spawn_ranks(3, [&](Communicator& outer) {
    Watchdog watchdog(outer, "host" + std::to_string(outer.rank()), kHostsLimit);
    const auto world = watchdog.watch(outer.split(0, outer.rank()));
    body(*world);
  });
}

TEST(LoneWork, IsWaitedForOnEveryHostForAsLongAsItGivesSignsOfLife) {
  int done = 0;
  over_hosts([&](Communicator& world) {
    while_others_wait(world, "margins", [&] {
      const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(3 * kHostsLimit);
      for (; std::chrono::steady_clock::now() < end; beat()) std::this_thread::sleep_for(20ms);
      ++done;
    });
    EXPECT_EQ(done, 1) << "rank " << world.rank() << " went on before the work was done";
    world.barrier();
  });
}

TEST(LoneWork, ThrowsOnAllRanks) {
  for (const int size : {1, 3})
    spawn_ranks(size, [&](Communicator& world) {
      try {
        while_others_wait(world, "margins", [] { throw DataError("rows.jsonl:7: gone"); });
        ADD_FAILURE();
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_content);
        EXPECT_NE(std::string(error.what()).find("rows.jsonl:7: gone"), std::string::npos);
      }
      world.barrier();
    });
}

TEST(LoneWorkDeathTest, ThatStandsStillIsNamed) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto hang = [] {
    spawn_ranks(2, [](Communicator& outer) {
      Watchdog watchdog(outer, "host7", kHostsLimit);
      const auto world = watchdog.watch(outer.split(0, outer.rank()));
      while_others_wait(*world, "margins", [] { std::this_thread::sleep_for(60s); });
    });
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(76), "late: rank 0, host host7, .*in margins");
}

}  // namespace
}  // namespace sft
