#include "trainer/models/blocks/device_kernels.h"

#include <stdexcept>

namespace sft {
namespace {

const DeviceKernels* table = nullptr;

}  // namespace

void set_device_kernels(const DeviceKernels& kernels) { table = &kernels; }

const DeviceKernels& device_kernels() {
  if (!table) throw std::logic_error("a tensor is on a device whose kernels were not brought");
  return *table;
}

}  // namespace sft
