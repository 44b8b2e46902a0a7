// Looks at the queues of a rank's device, in a thread of its own: a look may last as long as the device's driver is
// busy (cudaFree, a module that is loaded), which says nothing of the rank.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "comm/device_queue.h"
#include "comm/status_board.h"

namespace sft {

class DeviceWatch {
 public:
  // Every `period` seconds `status` gets what is queued and finished. `failed` is called from the thread, at each look,
  // once the device has told an error for more than `patience` seconds.
  DeviceWatch(Status& status, double period, double patience, std::function<void(const std::string& error)> failed);

  // From any thread; both wait for a look that is under way.
  void add(DeviceQueue& queue);
  void remove(DeviceQueue& queue);

 private:
  void look(double passed);

  Status& status_;
  double patience_;
  std::function<void(const std::string& error)> failed_;
  double failing_ = 0;  // seconds since the device told an error
  std::mutex mutex_;
  std::vector<DeviceQueue*> queues_;
  std::jthread thread_;  // last: it uses all the others
};

}  // namespace sft
