// Whether a tensor in host memory holds numbers only.
#pragma once

#include <string>

#include "trainer/checkpoint/tensor_ref.h"

namespace sft {

// Tells the first element of `tensor` that is NaN or infinite: "tensor 'pooler.dense.weight', element 17, is NaN"; ""
// where all are finite, and for types without such values. Reads the bytes once, at the speed of memory.
std::string not_finite_in(const TensorRef& tensor);

}  // namespace sft
