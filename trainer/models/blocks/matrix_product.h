// Products of matrices, by the faster of the two libraries that LibTorch carries.
#pragma once

#include <ATen/core/Tensor.h>

namespace sft {

// a [m, k] · b [k, n]; either may be a transposed view.
at::Tensor product(const at::Tensor& a, const at::Tensor& b);

// bias [n] to each row of a · b.
at::Tensor biased_product(const at::Tensor& bias, const at::Tensor& a, const at::Tensor& b);

// sum [m, n] += a · b, inside the product. On a device, a and b may be of a narrower type than the sum.
void add_product(at::Tensor& sum, const at::Tensor& a, const at::Tensor& b);

}  // namespace sft
