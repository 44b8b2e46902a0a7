// How many updates an optimizer has made, on the device that knows which of them it left out.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sft {

class UpdateCount {
 public:
  explicit UpdateCount(const at::Device& device);

  // One more, but where `left_out`, a scalar there, is 1; undefined: one more.
  void add(const at::Tensor& left_out);
  const at::Tensor& of_kernels() const { return for_kernels_; }  // float32 scalar there, which LibTorch's kernels read

  int64_t on_host() const;  // waits for the device
  void set(int64_t updates);

 private:
  at::Tensor count_;        // int64 scalar: float32 counts no further than 2²⁴
  at::Tensor for_kernels_;  // rounded
};

}  // namespace sft
