// Positions as sines and cosines (Vaswani et al., 2017), laid out as Marian has them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sft {

// [positions, width]: column i of the first half has sin(p / 10000^(2i / width)), of the second the cosine; an odd
// width has one more sine. Rounded to float32, whatever the options' type is, as transformers does.
at::Tensor sinusoidal_positions(int64_t positions, int64_t width, const at::TensorOptions& options);

}  // namespace sft
