// Fully connected layers on packed rows, with gradients of weights accumulated inside the matrix product.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace sft {

struct Linear {
  at::Tensor weight;  // [out, in]
  at::Tensor bias;    // [out]; undefined: none, or added by what follows
  // Copies in the type of the products, where that is narrower than the parameters'; their owner keeps them up to date.
  // On a device x is of that type too, and the bias has a copy; on a CPU x and the bias stay wide.
  at::Tensor narrow_weight = {}, narrow_bias = {};

  Linear without_bias() const { return {weight, {}, narrow_weight, {}}; }
};

// x [N, in] → [N, out], in the type of x.
at::Tensor linear(const at::Tensor& x, const Linear& layer);

// Several layers on the same rows: the gradient of x is summed inside the products.
std::vector<at::Tensor> linear(const at::Tensor& x, const std::vector<Linear>& layers);

}  // namespace sft
