// The peak rate of matrix products on this rank's threads or device, measured at start.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace sft {

// Floating point operations a second of a product of square matrices, the best of a few: 768 wide on a CPU; on a device
// 1024 wide, and wider up to 8192 as long as one takes less than 20 ms.
double measured_gemm_flops(const c10::Device& device, c10::ScalarType type);

}  // namespace sft
