// Between the products of a gated MLP (Shazeer, 2020):  activation(gate) · up
#pragma once

#include <ATen/core/Tensor.h>

#include "trainer/models/blocks/activation.h"

namespace sft {

// gate, up [N, I]. In one pass: SiLU (SwiGLU), and on a device GELU in both forms (GeGLU). The others by ATen.
at::Tensor gated(Activation activation, const at::Tensor& gate, const at::Tensor& up);

}  // namespace sft
