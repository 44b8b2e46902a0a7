// What a communicator has given to a device. A call there returns once it is queued, so whether it was ever done is
// asked of the queue: by the watchdog, beside the thread that waits for the device.
#pragma once

#include <cstdint>
#include <string>

namespace sft {

class DeviceQueue {
 public:
  struct State {
    int64_t queued = 0;    // collectives, since the beginning
    int64_t finished = 0;  // of them
    std::string error;     // one that came after its call had returned; "" while all is well
  };

  virtual ~DeviceQueue() = default;
  virtual State look() = 0;  // from any thread
};

}  // namespace sft
