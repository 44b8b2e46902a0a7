// Products with a weight W [out, in] that is held in a narrower type than the rows it meets, as weight files have it:
// the result is as if W had been widened beforehand, and a wide copy of some of its rows at a time is all that is made.
// A W of up to 7 million elements is widened at once, by the same products as a wide one: the same bits. Of a larger
// one the products of parts are summed, and the last digits may differ. Where few rows in float32 meet a W of any type
// in a forward pass on a CPU, it is not widened in memory at all, and its bits are those of the wide one too.
#pragma once

#include <ATen/core/Tensor.h>

namespace sft {

// x [N, in] · Wᵀ → [N, out], in the type of x, which is at least as wide as W's.
at::Tensor product_with(const at::Tensor& x, const at::Tensor& weight);

// bias [out] to each row of it; of the type of the bias, which may be wider on a CPU.
at::Tensor biased_product_with(const at::Tensor& bias, const at::Tensor& x, const at::Tensor& weight);

// dy [N, out] · W → [N, in], in the type of dy.
at::Tensor product_back(const at::Tensor& dy, const at::Tensor& weight);

// dx [N, in] += dy · W.
void add_product_back(at::Tensor& dx, const at::Tensor& dy, const at::Tensor& weight);

}  // namespace sft
