// What goes from host memory to where a model is.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>

namespace sft {

// A copy of a host tensor, of the device in `there`, and of the type if it has one. The host goes on at once: on the
// way to a device the bytes lie in pinned memory, which LibTorch keeps until the device has read it. From other memory
// CUDA may make the host wait until all is done that the device was given before.
at::Tensor sent(const at::Tensor& host, const at::TensorOptions& there);

// [n], of the type of the values.
at::Tensor sent(std::span<const int64_t> values, const at::Device& device);
// [n], of the device and type in `there`.
at::Tensor sent(std::span<const float> values, const at::TensorOptions& there);

}  // namespace sft
