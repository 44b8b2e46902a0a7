// Our kernels as host bodies, each a plain reading of its contract in device_kernels.h.
#pragma once

#include "trainer/models/blocks/device_kernels.h"

namespace sft::test::simulated {

// row_kernels.cpp
void drop_rows(const DeviceDropRows& work);
void add_norm(const DeviceAddNorm& work);
void add_norm_backward(const DeviceAddNormBackward& work);
void bias_gelu(const DeviceBiasGelu& work);
// attention_kernels.cpp
void pad(const DevicePadding& work);
void unpad(const DevicePadding& work);
void softmax(const DeviceSoftmax& work);
void softmax_backward(const DeviceSoftmaxBackward& work);
// flash_kernels.cpp
void flash(const DeviceFlash& work);
void flash_backward(const DeviceFlashBackward& work);

}  // namespace sft::test::simulated
