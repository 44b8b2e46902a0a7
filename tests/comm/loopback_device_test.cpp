// Tests over loopback devices can fail: what CUDA would not do is an error with its reason.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "base/errors.h"
#include "comm/nccl/connect.h"
#include "comm/solo/solo.h"
#include "tests/comm/device_memory.h"

namespace sft::test {
namespace {

constexpr size_t kCount = 1000;

class LoopbackDevice : public ::testing::Test {
 protected:
  void SetUp() override { loopback::restart(); }
  void TearDown() override { loopback::restart(); }
};

// What is told of the first thing that a world of device 2 is asked and cannot do.
std::string error_of(const std::function<void(Communicator&)>& wrong) {
  Placement placement;
  placement.device = 2;
  const auto world = nccl::connect(loopback::table(), placement, solo::connect({}));
  try {
    wrong(*world);
    world->barrier();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(LoopbackDevice, RefusesMemoryOfAnother) {
  EXPECT_NE(error_of([](Communicator& world) {
              const DeviceFloats values(3, kCount);
              world.all_reduce(values.buffer(), Reduction::sum);
              world.barrier();
            }).find("device 2 has used memory of device 3"),
            std::string::npos);
}

TEST_F(LoopbackDevice, RefusesMemoryThatWasFreed) {
  EXPECT_NE(error_of([](Communicator& world) {
              Buffer buffer;
              {
                const DeviceFloats values(2, kCount);
                buffer = values.buffer();
              }
              world.all_reduce(buffer, Reduction::sum);
            }).find("device 2 has used memory that was freed"),
            std::string::npos);
}

TEST_F(LoopbackDevice, HasNoNumbersWhereNothingWasWritten) {
  DeviceFloats values(0, kCount);
  values.read();
  values.synchronize();
  for (const float value : values.host()) ASSERT_TRUE(std::isnan(value));
}

// By its address alone, as of a GPU: what forgets a copy ends there.
TEST_F(LoopbackDevice, HasMemoryThatItsHostCannotRead) {
  const DeviceFloats values(0, kCount);
  const auto* const first = static_cast<const volatile float*>(values.buffer().data);
  EXPECT_DEATH(static_cast<void>(*first), "");  // sanitizers exit where others are killed
}

TEST_F(LoopbackDevice, CountsWhatTheHostWaitsFor) {
  DeviceFloats values(0, kCount);
  values.write(1);
  EXPECT_TRUE(loopback::host_waits().empty());
  values.synchronize();
  EXPECT_EQ(loopback::host_waits(), (std::map<std::string, int64_t>{{"a stream", 1}}));
}

}  // namespace
}  // namespace sft::test
