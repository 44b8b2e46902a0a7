// A test that needs a GPU.
#pragma once

#include <c10/core/Device.h>
#include <gtest/gtest.h>

#include "launch/device.h"

namespace sft::testing {

class OnGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    device = choose_device("auto", {});
    if (device.is_cpu()) GTEST_SKIP() << "no GPU here: nothing was tested";
  }
  c10::Device device = c10::kCPU;
};

}  // namespace sft::testing
