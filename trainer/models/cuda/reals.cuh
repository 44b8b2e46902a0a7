// Types of activations and the wider ones that sums are made in.
#pragma once

#include <cuda_bf16.h>

#include "trainer/models/blocks/device_kernels.h"

namespace sft::cuda {

template <class T>
struct Widened {
  using type = float;
};
template <>
struct Widened<double> {
  using type = double;
};
template <class T>
using Wide = typename Widened<T>::type;

template <class T>
__device__ Wide<T> widen(T value) {
  return static_cast<Wide<T>>(value);
}
template <class T>
__device__ T narrow(Wide<T> value) {
  return static_cast<T>(value);
}

// Calls `body` with a value of the type.
template <class Body>
void with_type(Real type, Body&& body) {
  switch (type) {
    case Real::f32:
      return body(float{});
    case Real::f64:
      return body(double{});
    case Real::bf16:
      return body(__nv_bfloat16{});
  }
}

}  // namespace sft::cuda
