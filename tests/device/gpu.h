// A test that needs a GPU.
#pragma once

#include <c10/core/Device.h>
#include <gtest/gtest.h>

#include "comm/placement.h"
#include "comm/solo/solo.h"
#include "launch/device.h"

namespace sft::testing {

class OnGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    Placement alone;
    const auto world = solo::connect(alone);
    device = agree_on_device("auto", alone, *world);
    if (device.is_cpu()) GTEST_SKIP() << "no GPU here: nothing was tested";
  }
  c10::Device device = c10::kCPU;
};

}  // namespace sft::testing
