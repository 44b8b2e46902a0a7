// Results of a function, made ahead of their use, in order, by one background thread that starts with the first use.
#pragma once

#include <cassert>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "base/timeline.h"

namespace sft {

template <class T>
class Prefetcher {
 public:
  // Keeps up to `depth` ≥ 1 results of `make` ready; only the background thread calls it.
  Prefetcher(std::function<T()> make, int depth) : make_(std::move(make)), depth_(static_cast<size_t>(depth)) {
    assert(depth >= 1);
  }

  // Waits for the call of `make` that is under way, if any.
  ~Prefetcher() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // The next result, or, after all results before it, what `make` threw, again at each call from then on.
  T next() {
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || error_; });
    if (ready_.empty()) std::rethrow_exception(error_);
    T result = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return result;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || ready_.size() < depth_; });
      if (stopping_) return;
      lock.unlock();
      try {
        T made = timeline::spanned("read ahead", make_);
        lock.lock();
        ready_.push_back(std::move(made));
      } catch (...) {
        lock.lock();
        error_ = std::current_exception();
        changed_.notify_all();
        return;
      }
      changed_.notify_all();
    }
  }

  std::function<T()> make_;
  size_t depth_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> ready_;
  std::exception_ptr error_;
  bool stopping_ = false;
  std::thread thread_;  // only the caller of next() and the destructor touch it
};

}  // namespace sft
