// What launch/device looks up in the plugin.
#include "trainer/models/cuda/kernels.h"

extern "C" const sft::DeviceKernels* sft_cuda_kernels() {
  static const sft::DeviceKernels table{.drop_rows = sft::cuda::drop_rows,
                                        .add_norm = sft::cuda::add_norm,
                                        .add_norm_backward = sft::cuda::add_norm_backward,
                                        .bias_gelu = sft::cuda::bias_gelu,
                                        .pad = sft::cuda::pad,
                                        .unpad = sft::cuda::unpad,
                                        .softmax = sft::cuda::softmax,
                                        .softmax_backward = sft::cuda::softmax_backward,
                                        .flash = sft::cuda::flash,
                                        .flash_backward = sft::cuda::flash_backward,
                                        .rms_norm = sft::cuda::rms_norm,
                                        .rms_norm_backward = sft::cuda::rms_norm_backward,
                                        .rotate = sft::cuda::rotate,
                                        .gated = sft::cuda::gated};
  return &table;
}
