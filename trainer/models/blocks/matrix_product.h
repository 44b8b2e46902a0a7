// Products of matrices, by the faster of the two libraries that LibTorch carries.
#pragma once

#include <ATen/core/Tensor.h>

namespace sft {

// a [m, k] · b [k, n]; either may be a transposed view.
at::Tensor product(const at::Tensor& a, const at::Tensor& b);

// sum [m, n] += a · b, inside the product. Where a and b are of a narrower type than the sum, a CPU rounds the product
// to it first.
void add_product(at::Tensor& sum, const at::Tensor& a, const at::Tensor& b);

// For models whose products hardly ever have the same shape twice, as those of packed rows; to be called before the
// first product. oneDNN keeps the code that it made for each of the last 1,024 shapes, and LibTorch, one floor above,
// what it set up for each of another 1,024: hundreds of MiB that nobody asks for again. From now on it is 128, as many
// as an update of rows of one length has, and 1. What the environment says already stays.
void keep_few_products();

// Whether this CPU has instructions for products of bfloat16 (AVX512-BF16, which comes with AMX too): twice as fast as
// float32 and more. Without them such products are right, and slow.
bool cpu_multiplies_bfloat16();

}  // namespace sft
