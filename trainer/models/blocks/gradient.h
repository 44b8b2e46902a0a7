// Gradients written straight into a leaf's preset .grad. The usual way makes a tensor, then AccumulateGrad adds it:
// for a matrix of weights that is two passes which a product with beta = 1 does not need, and for word embeddings
// a dense table where a few rows were touched. Autograd is then told of no gradient, yet visits the leaf's accumulator
// when all its functions are done, so post-accumulate hooks run once, at the same time as ever.
#pragma once

#include <ATen/core/Tensor.h>

namespace sft {

// The gradient to add to in place; undefined where the leaf has none yet, and a function returns its gradient to
// autograd as usual.
at::Tensor preset_gradient(const at::Tensor& leaf);

// Where a kernel adds a leaf's gradient.
class GradientSum {
 public:
  explicit GradientSum(const at::Tensor& leaf, bool wanted);
  const at::Tensor& sum() const { return sum_; }  // of the leaf's shape; undefined: not wanted
  at::Tensor for_autograd() const { return is_preset_ ? at::Tensor() : sum_; }

 private:
  at::Tensor sum_;
  bool is_preset_ = false;
};

// gradient of a leaf += value, or value itself where autograd is to do it.
at::Tensor deliver(const at::Tensor& leaf, const at::Tensor& value);

// The leaf as a reader of its own sees it, whose gradient is delivered when that reader has its: of a leaf that several
// stages read, the parts are added in the same order whether stages run once or again.
at::Tensor read_apart(const at::Tensor& leaf);

}  // namespace sft
