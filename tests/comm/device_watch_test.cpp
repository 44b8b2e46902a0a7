// The watchdog beside ranks that wait for their devices and are in no call: loopback devices, ranks as threads of a
// process that it ends.
#include "comm/device_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "base/progress.h"
#include "comm/make_communicator.h"
#include "comm/solo/solo.h"
#include "comm/watchdog.h"
#include "tests/comm/device_memory.h"
#include "tests/comm/worlds/worlds.h"

namespace sft::test {
namespace {

using namespace std::chrono_literals;
using loopback::device_of;

constexpr double kLimit = 1.0;
constexpr size_t kWatchedCount = 1000;

// Ranks with a device each, whose sums are watched. Where nobody ends a hang, the alarm does.
void watched(int size, const std::function<void(Communicator& world)>& body) {
  ::alarm(40);
  spawn_ranks(size, [&](Communicator& threads) {
    auto connected = connect_loopback(threads.split(0, threads.rank()));  // which takes long on a crowded machine
    Watchdog watchdog(threads, "host7", kLimit, [](ExitCode code, const std::string& message) {
      std::fprintf(stderr, "word %d: %s\n", static_cast<int>(code), message.c_str());
    });
    const auto world = watchdog.watch(std::move(connected));
    body(*world);
  });
  ::alarm(0);
}

// As an update: a bucket is queued, and the thread waits for the device, outside of any call.
void update(Communicator& world, size_t count = kWatchedCount) {
  DeviceFloats values(device_of(world.rank()), count);
  values.write(1);
  world.start_all_reduce(values.buffer())->wait();
  values.synchronize();
}

class DeviceWatchDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { ::testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(DeviceWatchDeathTest, NamesTheRankThatQueuesNothing) {
  const auto hang = [] {
    watched(3, [](Communicator& world) {
      update(world);
      progress().step = 57;
      progress().set_phase("forward");
      if (world.rank() == 1) std::this_thread::sleep_for(60s);
      update(world);
    });
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(76),
              "late: rank 1, host host7, sequence 2 wait done, step 57 in forward; others at sequence 4 wait queued .1 "
              "of 2 finished.");
}

TEST_F(DeviceWatchDeathTest, TellsThatAllDevicesStandStill) {
  const auto hang = [] {
    watched(2, [](Communicator& world) {
      update(world);
      if (world.rank() == 1) loopback::lose_link(device_of(1));
      update(world);
    });
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(76),
              "hang: all ranks are at sequence 4 wait queued .1 of 2 finished. .* and none gets on");
}

TEST_F(DeviceWatchDeathTest, EndsAtBucketsThatDoNotFit) {
  const auto hang = [] {
    watched(2, [](Communicator& world) { update(world, world.rank() == 1 ? kWatchedCount / 2 : kWatchedCount); });
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(76), "word 76: .*sequence 2 wait queued .0 of 1 finished.");
}

TEST_F(DeviceWatchDeathTest, EndsWithAnErrorThatCameAfterTheCall) {
  const auto fail = [] {
    watched(2, [](Communicator& world) {
      progress().step = 3;
      loopback::lose_link(device_of(world.rank()), "socketPollConnect: connection refused");
      update(world);
    });
  };
  EXPECT_EXIT(fail(), ::testing::ExitedWithCode(69),
              "word 69: rank ., host host7, sequence . .*, step 3: NCCL: remote process exited or there was a network "
              "error; socketPollConnect: connection refused");
}

// Where a rank has ended with an error of its own, the others' devices tell only that it is gone, and its code is what
// the job ends with.
TEST_F(DeviceWatchDeathTest, LeavesTimeToEndWithTheCause) {
  const auto fail = [] {
    watched(2, [](Communicator& world) {
      if (world.rank() == 1) loopback::lose_link(device_of(1), "connection closed by remote peer");
      std::this_thread::sleep_for(200ms);
      if (world.rank() == 0) ::_exit(70);
      update(world);
    });
  };
  EXPECT_EXIT(fail(), ::testing::ExitedWithCode(70), "");
}

// As CUDA does, each question after a fault is answered with it.
TEST_F(DeviceWatchDeathTest, EndsWithAFaultWhereTheRankAsksItsDeviceNothing) {
  const auto fail = [] {
    watched(1, [](Communicator& world) {
      Buffer freed;
      {
        const DeviceFloats values(device_of(0), kWatchedCount);
        freed = values.buffer();
      }
      {
        const loopback::Gate computing(loopback::table().current_stream(device_of(0)));
        world.start_all_reduce(freed);
      }
      std::this_thread::sleep_for(60s);
    });
  };
  EXPECT_EXIT(fail(), ::testing::ExitedWithCode(69),
              "word 69: rank 0, host host7, sequence 1 start_all_reduce.*: ask for an event: device 1 has used memory "
              "that was freed");
}

TEST_F(DeviceWatchDeathTest, NamesTheRankThatDoesNotComeToTheConnection) {
  const auto hang = [] {
    spawn_ranks(2, [](Communicator& threads) {
      Watchdog watchdog(threads, "host7", kLimit);
      const Phase phase("connect");
      if (threads.rank() == 1) std::this_thread::sleep_for(60s);
      watchdog.connect([&] { return connect_loopback(solo::connect({})); });
      watchdog.connect([&] { return connect_loopback(threads.split(0, threads.rank())); });
    });
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(76),
              "late: rank 1, host host7, before any collective, in connect; others at sequence [12] connect of 0 B");
}

// For longer than the limit, with signs of life.
void work() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(2 * kLimit);
  while (std::chrono::steady_clock::now() < end) {
    beat();
    std::this_thread::sleep_for(20ms);
  }
}

// Signs of life of a rank that the others' devices wait for.
TEST(DeviceWatch, WaitsForARankThatWorks) {
  watched(2, [](Communicator& world) {
    if (world.rank() == 1) work();
    update(world);
  });
}

// All ranks are quiet for longer than the limit, and no sum takes as long.
TEST(DeviceWatch, WaitsForADeviceThatGetsOn) {
  watched(2, [](Communicator& world) {
    DeviceFloats values(device_of(world.rank()), kWatchedCount);
    values.write(1);
    std::deque<loopback::Gate> computing;
    for (int sum = 0; sum < 6; ++sum) {
      computing.emplace_back(values.stream());
      world.start_all_reduce(values.buffer())->wait();
    }
    const std::jthread device([&] {
      for (loopback::Gate& gate : computing) {
        std::this_thread::sleep_for(400ms);
        gate.open();
      }
    });
    values.synchronize();
  });
}

// The look at a queue waits as long as the device's driver does: for cudaFree, or a module that is loaded.
TEST(DeviceWatch, WaitsBesideADriverThatIsBusy) {
  watched(2, [](Communicator& world) {
    if (world.rank() == 1) work();
    DeviceFloats values(device_of(world.rank()), kWatchedCount);
    values.write(1);
    world.start_all_reduce(values.buffer())->wait();
    std::optional<loopback::BusyDriver> busy;
    if (world.rank() == 0) busy.emplace(device_of(0));
    values.synchronize();
  });
}

class ThrowingQueue final : public DeviceQueue {
 public:
  State look() override { throw std::runtime_error("of a library"); }
};

TEST(DeviceWatch, TellsWhateverALookThrows) {
  Status status;
  ThrowingQueue queue;
  std::promise<std::string> told;
  std::once_flag first;
  DeviceWatch watch(status, 0.01, 0,
                    [&](const std::string& error) { std::call_once(first, [&] { told.set_value(error); }); });
  watch.add(queue);
  EXPECT_EQ(told.get_future().get(), "of a library");
}

}  // namespace
}  // namespace sft::test
