// A low-rank adapter of a fully connected layer (Hu et al. 2021, LoRA): the layer gives W x + b + s · B A x, in which A
// and B train and W does not.
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/dropout_key.h"

namespace sft {

struct LowRank {
  at::Tensor a;          // [r, in], a leaf of the type of the layer's weight
  at::Tensor b;          // [out, r]
  double scale = 1;      // s
  Dropout dropout = {};  // of the adapter's x alone
};

}  // namespace sft
