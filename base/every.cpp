#include "base/every.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace sft {

void every(double period, const std::stop_token& stop, const std::function<void(double passed)>& step) {
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  auto last = Clock::now();
  for (;;) {
    wake.wait_for(lock, stop, Seconds(period), [] { return false; });
    if (stop.stop_requested()) return;
    const auto now = Clock::now();
    step(std::min(Seconds(now - last).count(), 2 * period));
    last = now;
  }
}

}  // namespace sft
