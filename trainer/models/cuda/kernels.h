// The functions of the table in device_kernels.h, by the files that hold them.
#pragma once

#include "trainer/models/blocks/device_kernels.h"

namespace sft::cuda {

// rows.cu
void drop_rows(const DeviceDropRows& work);
void add_norm(const DeviceAddNorm& work);
void add_norm_backward(const DeviceAddNormBackward& work);
void bias_gelu(const DeviceBiasGelu& work);
// decoder.cu
void rms_norm(const DeviceRmsNorm& work);
void rms_norm_backward(const DeviceRmsNormBackward& work);
void rotate(const DeviceRotate& work);
void gated(const DeviceGated& work);
// attention.cu
void pad(const DevicePadding& work);
void unpad(const DevicePadding& work);
void softmax(const DeviceSoftmax& work);
void softmax_backward(const DeviceSoftmaxBackward& work);
// flash.cu, flash_backward.cu
void flash(const DeviceFlash& work);
void flash_backward(const DeviceFlashBackward& work);

}  // namespace sft::cuda
