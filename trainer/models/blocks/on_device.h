// Between tensors on a device and the kernels of device_kernels.h.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/device_kernels.h"

namespace sft {

Real real_of(const at::Tensor& tensor);

// What sums over values of `type` are made in, and parameters that meet them are of.
at::ScalarType wide_type(at::ScalarType type);

// x [N, C], contiguous.
DeviceRows device_rows(const at::Tensor& x);

}  // namespace sft
