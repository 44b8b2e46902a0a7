// The communicator of GPUs over loopback devices: what waits for what, how long memory is used, and whose device it is.
// Ranks are threads; a gate holds back a stream until all others have come as far as they can without it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "comm/device_queue.h"
#include "comm/make_communicator.h"
#include "comm/nccl/connect.h"
#include "comm/solo/solo.h"
#include "tests/comm/device_memory.h"
#include "tests/comm/worlds/worlds.h"

namespace sft::test {
namespace {

using loopback::device_of;
using loopback::Gate;

constexpr size_t kOrderedCount = 1000;

class DeviceOrder : public ::testing::Test {
 protected:
  void SetUp() override {
    ::alarm(60);  // where what is tested makes ranks wait for ever
    loopback::restart();
  }
  void TearDown() override {
    loopback::restart();
    ::alarm(0);
  }
};

// Two ranks, and what joins their threads.
void over_two(const std::function<void(Communicator& world, Communicator& threads)>& body) {
  spawn_ranks(2, [&](Communicator& threads) {
    const auto world = connect_loopback(threads.split(0, threads.rank()));
    body(*world, threads);
  });
}

std::vector<float> all(float value) { return std::vector<float>(kOrderedCount, value); }

TEST_F(DeviceOrder, ACollectiveWaitsForWhatWasQueuedBeforeIt) {
  over_two([](Communicator& world, Communicator& threads) {
    DeviceFloats values(device_of(world.rank()), kOrderedCount);
    Gate computing(values.stream());
    values.write(static_cast<float>(world.rank() + 1));
    const auto work = world.start_all_reduce(values.buffer());
    threads.barrier();
    loopback::settle();
    threads.barrier();
    computing.open();
    work->wait();
    values.read();
    values.synchronize();
    EXPECT_EQ(values.host(), all(3));
  });
}

TEST_F(DeviceOrder, WhatIsQueuedBehindAWaitSeesTheSum) {
  over_two([](Communicator& world, Communicator& threads) {
    DeviceFloats values(device_of(world.rank()), kOrderedCount);
    values.write(static_cast<float>(world.rank() + 1));
    std::optional<Gate> late;
    if (world.rank() == 1) late.emplace(values.stream());
    world.start_all_reduce(values.buffer())->wait();
    values.read();
    threads.barrier();
    loopback::settle();
    threads.barrier();
    late.reset();
    values.synchronize();
    EXPECT_EQ(values.host(), all(3));
  });
}

// A temporary, as of gradients that got none.
TEST_F(DeviceOrder, MemoryThatIsFreedBehindAWaitIsUsedUntilThen) {
  over_two([](Communicator& world, Communicator& threads) {
    const int device = device_of(world.rank());
    std::optional<Gate> late;
    if (world.rank() == 1) late.emplace(loopback::table().current_stream(device));
    {
      const DeviceFloats values(device, kOrderedCount);
      world.start_all_reduce(values.buffer())->wait();
    }
    threads.barrier();
    loopback::settle();
    threads.barrier();
    late.reset();
    world.barrier();
  });
}

TEST_F(DeviceOrder, TheThreadThatQueuesGoesOn) {
  over_two([](Communicator& world, Communicator&) {
    DeviceFloats values(device_of(world.rank()), kOrderedCount);
    {
      Gate computing(values.stream());
      values.write(1);
      for (int call = 0; call < 10; ++call) world.all_reduce(values.buffer(), Reduction::max);
      values.read();
    }
    values.synchronize();
    EXPECT_EQ(values.host(), all(1));
  });
}

TEST_F(DeviceOrder, ABarrierWaitsForTheDevice) {
  over_two([](Communicator& world, Communicator&) {
    DeviceFloats values(device_of(world.rank()), kOrderedCount);
    values.write(1);
    world.all_reduce(values.buffer(), Reduction::sum);
    values.read();
    world.barrier();
    EXPECT_EQ(values.host(), all(2));
  });
}

TEST_F(DeviceOrder, BucketsAreSummedInTheOrderOfTheirCalls) {
  over_two([](Communicator& world, Communicator&) {
    constexpr size_t kBuckets = 20;
    std::vector<std::unique_ptr<DeviceFloats>> buckets;
    std::vector<std::unique_ptr<Work>> works;
    for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
      buckets.push_back(std::make_unique<DeviceFloats>(device_of(world.rank()), kOrderedCount));
      buckets.back()->write(static_cast<float>(bucket));
      works.push_back(world.start_all_reduce(buckets.back()->buffer()));
    }
    for (const auto& work : works) work->wait();
    for (const auto& bucket : buckets) bucket->read();
    buckets.back()->synchronize();
    for (size_t bucket = 0; bucket < kBuckets; ++bucket)
      EXPECT_EQ(buckets[bucket]->host(), all(2 * static_cast<float>(bucket)));
  });
}

// What counts the calls finished counts each once, and all in the end.
TEST_F(DeviceOrder, TheQueueTellsHowManyCallsAreDone) {
  over_two([](Communicator& world, Communicator& threads) {
    auto& queue = dynamic_cast<DeviceQueue&>(world);
    DeviceFloats values(device_of(world.rank()), kOrderedCount);
    values.write(0);
    std::optional<Gate> computing(std::in_place, values.stream());
    for (int call = 0; call < 3; ++call) world.start_all_reduce(values.buffer());
    threads.barrier();
    loopback::settle();
    EXPECT_EQ(queue.look().queued, 3);
    EXPECT_EQ(queue.look().finished, 0);
    threads.barrier();
    computing.reset();
    world.barrier();
    EXPECT_EQ(queue.look().finished, 3);
    EXPECT_EQ(queue.look().error, "");
  });
}

// CUDA makes a context wherever a thread is, of some hundred MiB; watchdogs of others have made one on device 0 a rank.
TEST_F(DeviceOrder, NoDeviceButItsOwnIsTouched) {
  Placement placement;
  placement.device = 5;
  {
    const auto world = nccl::connect(loopback::table(), placement, solo::connect({}));
    DeviceFloats values(5, kOrderedCount);
    Gate computing(values.stream());
    values.write(7);
    const auto part = world->split(0, 0);
    part->start_all_reduce(values.buffer())->wait();
    world->all_reduce(values.buffer(), Reduction::sum);
    std::thread([&] { EXPECT_EQ(dynamic_cast<DeviceQueue&>(*world).look().finished, 0); }).join();
    computing.open();
    world->barrier();
  }
  EXPECT_EQ(loopback::touched_devices(), std::set<int>{5});
}

TEST_F(DeviceOrder, EachDeviceHasAUuidOfItsOwn) {
  const std::vector<std::string> uuids = nccl::uuids_of(loopback::table());
  EXPECT_EQ(uuids.size(), 8u);
  EXPECT_EQ(std::set<std::string>(uuids.begin(), uuids.end()).size(), 8u);
  EXPECT_EQ(uuids[5], "GPU-a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
}

TEST_F(DeviceOrder, EveryDeviceServesARank) {
  spawn_ranks(loopback::kDevices, [](Communicator& threads) {
    const auto world = connect_loopback(threads.split(0, threads.rank()));
    DeviceFloats values(device_of(world->rank()), kOrderedCount);
    values.write(static_cast<float>(world->rank()));
    world->all_reduce(values.buffer(), Reduction::sum);
    values.read();
    values.synchronize();
    EXPECT_EQ(values.host(), all(28));
  });
  EXPECT_EQ(loopback::touched_devices().size(), 8u);
}

TEST_F(DeviceOrder, AnExceptionAbortsWhatTheOthersDoNotComeTo) {
  over_two([](Communicator& threads, Communicator&) {
    const auto leave = [&] {
      const auto world = threads.split(0, 0);
      DeviceFloats values(device_of(threads.rank()), kOrderedCount);
      values.write(1);
      if (threads.rank() == 0) world->start_all_reduce(values.buffer());
      throw std::runtime_error("between two buckets");
    };
    EXPECT_THROW(leave(), std::runtime_error);
  });
}

}  // namespace
}  // namespace sft::test
