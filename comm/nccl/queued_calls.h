// The collectives that one communicator has queued and that its device has not finished, in order.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "comm/nccl/stream_point.h"

namespace sft::nccl {

// From any thread, with the communicator's device chosen.
class QueuedCalls {
 public:
  void add(std::shared_ptr<const StreamPoint> done) {
    const std::lock_guard lock(mutex_);
    forget_finished();
    open_.push_back(std::move(done));
    ++queued_;
  }

  struct Counts {
    int64_t queued, finished;
  };
  Counts count() {
    const std::lock_guard lock(mutex_);
    forget_finished();
    return {queued_, queued_ - static_cast<int64_t>(open_.size())};
  }

 private:
  void forget_finished() {
    while (!open_.empty() && open_.front()->has_happened()) open_.pop_front();
  }

  std::mutex mutex_;
  std::deque<std::shared_ptr<const StreamPoint>> open_;
  int64_t queued_ = 0;
};

}  // namespace sft::nccl
