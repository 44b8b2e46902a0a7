// A thread that does what it is given, one after the other.
#pragma once

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

namespace sft {

class Turns {
 public:
  Turns() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

  // Done behind all that were posted before; an error is the future's.
  template <class Call>
  std::future<void> post(Call call) {
    std::packaged_task<void()> task(std::move(call));
    std::future<void> done = task.get_future();
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(task));
    }
    changed_.notify_one();
    return done;
  }

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
      std::packaged_task<void()> task = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::packaged_task<void()>> waiting_;
  std::jthread thread_;  // last, so that it ends first
};

}  // namespace sft
