// Fully connected layers on packed rows, with gradients of weights accumulated inside the matrix product, and low-rank
// adapters beside them.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

namespace sft {

struct LowRank;  // low_rank.h

struct Linear {
  at::Tensor weight;  // [out, in]; one that does not train may be held in a narrower type than x (held_weight.h)
  at::Tensor bias;    // [out]; undefined: none, or added by what follows
  // Copies in the type of the products, where that is narrower than the parameters'; their owner keeps them up to date.
  // On a device x is of that type too, and the bias has a copy; on a CPU x and the bias stay wide.
  at::Tensor narrow_weight = {}, narrow_bias = {};
  std::shared_ptr<const LowRank> adapter = nullptr;  // what it gives for x is added; null: none

  Linear without_bias() const { return {weight, {}, narrow_weight, {}, adapter}; }
};

// What keys the dropout of adapters: of each of the N rows of x. Undefined, as in evaluation: nothing falls.
struct RowKeys {
  at::Tensor draws, positions;  // int64 [N]
};

// x [N, in] → [N, out], in the type of x. What the backward pass keeps is x, where a weight or an adapter trains, and
// of each adapter x Aᵀ; the gradient of a weight that does not train is never computed.
at::Tensor linear(const at::Tensor& x, const Linear& layer, const RowKeys& keys);

// Several layers on the same rows: the gradient of x is summed inside the products.
std::vector<at::Tensor> linear(const at::Tensor& x, const std::vector<Linear>& layers, const RowKeys& keys);

// Without keys: std::logic_error where an adapter has dropout.
at::Tensor linear(const at::Tensor& x, const Linear& layer);
std::vector<at::Tensor> linear(const at::Tensor& x, const std::vector<Linear>& layers);

}  // namespace sft
