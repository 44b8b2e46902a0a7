// Memory of the size of a model's weights, made at once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sft {

// [size] zeros, as at::zeros gives them. On CPU cores the kernel hands over its zeroed pages, 2 MiB a call, where
// at::zeros would fault on each of them and write the zeros a second time.
at::Tensor flat_zeros(int64_t size, const at::TensorOptions& options);

}  // namespace sft
