#include "trainer/preflight/allocations.h"

#include <algorithm>

namespace sft {

Allocations::Allocations()
    : counter_(std::make_shared<Counter>()), guard_(c10::DebugInfoKind::PROFILER_STATE, counter_) {}

void Allocations::Counter::reportMemoryUsage(void*, int64_t size, size_t, size_t, c10::Device) {
  const int64_t now = bytes += size;
  int64_t before = peak;
  while (before < now && !peak.compare_exchange_weak(before, now)) {
  }
}

}  // namespace sft
