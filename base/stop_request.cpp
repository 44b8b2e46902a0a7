#include "base/stop_request.h"

#include <atomic>

#include "base/errors.h"
#include "base/progress.h"

namespace sft {
namespace {

std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "set by a signal handler");

}  // namespace

bool request_stop(int signal) {
  int none = 0;
  return first_signal.compare_exchange_strong(none, signal);
}

int stop_requested() { return first_signal.load(std::memory_order_relaxed); }

int take_stop_request() { return first_signal.exchange(0); }

void leave_if_asked() {
  beat();
  if (stop_requested() != 0)
    throw Error(ExitCode::requeue,
                "stopped by a signal, with nothing half-written; the same command begins this work anew");
}

}  // namespace sft
