// Copies of weights in the type of the products, where that is narrower than the parameters'.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/models/blocks/linear.h"

namespace sft {

class NarrowWeights {
 public:
  // On a device all that flows is narrow, and biases have copies too. On a CPU the products are: what lies between them
  // is no faster there. Nothing where the layer's weight is of that type already.
  void add(Linear& layer, at::ScalarType type);
  // Copies all of them: one call costs less than to find out which weights have moved.
  void follow() const;

 private:
  at::Tensor copy_of(const at::Tensor& parameter, at::ScalarType type);

  std::vector<at::Tensor> masters_, narrow_;
};

}  // namespace sft
