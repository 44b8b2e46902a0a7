// The memory of LibTorch's tensors on this thread and on autograd's for it, whatever device they are on.
#pragma once

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace sft {

// Counts while it lives. Tensors that were there before are not counted; what an Arena or an optimizer keeps in flat
// buffers of a CPU isn't either (flat_zeros).
class Allocations {
 public:
  Allocations();

  int64_t bytes() const { return counter_->bytes; }  // that are allocated now
  int64_t peak() const { return counter_->peak; }    // the most since the last restart
  void restart_peak() { counter_->peak = counter_->bytes.load(); }

 private:
  struct Counter final : public c10::MemoryReportingInfoBase {
    void reportMemoryUsage(void* pointer, int64_t size, size_t allocated, size_t reserved, c10::Device device) override;
    bool memoryProfilingEnabled() const override { return true; }
    std::atomic<int64_t> bytes{0}, peak{0};
  };

  std::shared_ptr<Counter> counter_;
  c10::DebugInfoGuard guard_;
};

}  // namespace sft
