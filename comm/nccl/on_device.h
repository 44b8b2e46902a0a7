// The device of the calling thread for a while. CUDA makes a context on whatever device a thread is on, so a thread
// that has anything to do with a device says first which one it means.
#pragma once

#include "comm/nccl/check.h"

namespace sft::nccl {

class OnDevice {
 public:
  OnDevice(const DeviceTable& table, int device) : table_(table) {
    check(table_, table_.device(&before_), "the thread's device");
    check(table_, table_.set_device(device), "choose the device");
  }
  ~OnDevice() { table_.return_to(before_); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  const DeviceTable& table_;
  int before_ = 0;
};

}  // namespace sft::nccl
