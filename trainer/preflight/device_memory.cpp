#include "trainer/preflight/device_memory.h"

#include <c10/core/CachingDeviceAllocator.h>

namespace sft {

int64_t peak_device_bytes(c10::Device device) {
  if (device.is_cpu()) return 0;
  constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return c10::getDeviceAllocator(device.type())->getDeviceStats(device.index()).allocated_bytes[kAll].peak;
}

void restart_peak_of_device(c10::Device device) {
  if (!device.is_cpu()) c10::getDeviceAllocator(device.type())->resetPeakStats(device.index());
}

}  // namespace sft
