#include "comm/device_watch.h"

#include <exception>

#include "base/every.h"

namespace sft {

DeviceWatch::DeviceWatch(Status& status, double period, double patience,
                         std::function<void(const std::string& error)> failed)
    : status_(status),
      patience_(patience),
      failed_(std::move(failed)),
      thread_([this, period](const std::stop_token& stop) {
        every(period, stop, [this](double passed) { look(passed); });
      }) {}

void DeviceWatch::add(DeviceQueue& queue) {
  const std::lock_guard lock(mutex_);
  queues_.push_back(&queue);
}

void DeviceWatch::remove(DeviceQueue& queue) {
  const std::lock_guard lock(mutex_);
  std::erase(queues_, &queue);
}

// What waits for a device is told nothing of its errors: it waits on, and can only be ended.
void DeviceWatch::look(double passed) {
  int64_t queued = 0, finished = 0;
  std::string error;
  const std::lock_guard lock(mutex_);
  for (DeviceQueue* queue : queues_) {
    DeviceQueue::State state;
    try {
      state = queue->look();
    } catch (const std::exception& thrown) {
      state.error = thrown.what();
    }
    if (error.empty()) error = state.error;
    queued += state.queued;
    finished += state.finished;
  }
  status_.finished = finished;
  status_.queued = queued;
  failing_ = error.empty() ? 0 : failing_ + passed;
  if (failing_ > patience_) failed_(error);
}

}  // namespace sft
