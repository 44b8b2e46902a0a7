#include "base/timeline.h"

#include <chrono>
#include <mutex>

namespace sft::timeline {
namespace {

struct Kept {
  std::mutex mutex;
  std::vector<Event> events;
  size_t most = 0;
  double epoch = 0;  // seconds since 1970 when now() is 0
};

Kept& kept() {
  static Kept instance;
  return instance;
}

int own_number() {
  static std::atomic<int> last{0};
  thread_local const int number = ++last;
  return number;
}

}  // namespace

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void start(size_t most) {
  Kept& all = kept();
  const std::lock_guard lock(all.mutex);
  all.events.clear();
  all.most = most;
  all.epoch = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count() - now();
  wanted = true;
}

std::vector<Event> stop() {
  Kept& all = kept();
  const std::lock_guard lock(all.mutex);
  wanted = false;
  return std::exchange(all.events, {});
}

void add(std::string name, double begin_seconds) {
  const double seconds = now() - begin_seconds;
  Kept& all = kept();
  const std::lock_guard lock(all.mutex);
  if (!wanted || all.events.size() >= all.most) return;
  all.events.push_back({std::move(name), own_number(), 1e6 * (all.epoch + begin_seconds), seconds});
}

}  // namespace sft::timeline
