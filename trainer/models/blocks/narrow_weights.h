// Copies of weights in the type of the products, where that is narrower than the parameters'.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/models/blocks/linear.h"

namespace sft {

class NarrowWeights {
 public:
  // On a device all that flows is narrow, and biases have copies too. On a CPU the products are: what lies between them
  // is no faster there. Borrows the layer, which stays where it is.
  void add(Linear& layer, at::ScalarType type);
  // To be called before each pass. The first time copies are made, when it is settled what trains: a weight that is
  // held in the type of the products is its own copy, and one that does not train is copied this once. Those that train
  // are copied each time: one call costs less than to find out which have moved.
  void follow();
  // Whether follow() reads any parameter.
  bool read_parameters() const { return !wanted_.empty() || !masters_.empty(); }

 private:
  struct Wanted {
    Linear* layer;
    at::ScalarType type;
  };
  at::Tensor copy_of(const at::Tensor& parameter, at::ScalarType type);

  std::vector<Wanted> wanted_;  // empty once the copies are there
  std::vector<at::Tensor> masters_, narrow_;
};

}  // namespace sft
