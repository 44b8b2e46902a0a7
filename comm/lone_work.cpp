// Signs of life reach the ranks of one host alone; a small collective reaches all. The thread of rank 0 that owns the
// communicator makes it, so the work has another one.
#include "comm/lone_work.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "base/progress.h"
#include "comm/agree.h"

namespace sft {
namespace {

constexpr std::chrono::seconds kBetweenSigns(1);

std::exception_ptr error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

class LoneWork {
 public:
  explicit LoneWork(const std::function<void()>& body) : thread_([this, &body] { run(body); }) {}

  // Whether the work has ended; else it has given a sign of life since the last call.
  bool ended_or_alive() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kBetweenSigns, [this] { return ended_; })) {
      const int64_t beats = progress_.beats;
      if (beats == seen_) continue;
      seen_ = beats;
      beat();
      return false;
    }
    return true;
  }

  // Null where it ended well. Behind its end.
  const std::exception_ptr& error() const { return error_; }

 private:
  void run(const std::function<void()>& body) {
    keep_progress_in(&progress_);
    error_ = error_of(body);
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    wake_.notify_one();
  }

  Progress progress_;  // of the work's thread
  int64_t seen_ = 0;   // of its beats
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::exception_ptr error_;  // written before ended_
  std::jthread thread_;       // last: it uses all the others
};

}  // namespace

void while_others_wait(Communicator& world, std::string_view name, const std::function<void()>& body) {
  const TimedPhase phase(name);
  if (world.size() == 1) return body();
  if (world.rank() != 0) {
    while (max(world, int64_t{0}) == 0) {
    }
    return together(world, [] {});
  }
  std::optional<LoneWork> work;
  try {
    work.emplace(body);
  } catch (const std::system_error&) {  // no more threads: then the others wait no longer than they wait for any rank
    const std::exception_ptr error = error_of(body);
    max(world, int64_t{1});
    return together(world, [&] { rethrow(error); });
  }
  while (max(world, int64_t{work->ended_or_alive()}) == 0) {
  }
  together(world, [&] { rethrow(work->error()); });
}

}  // namespace sft
