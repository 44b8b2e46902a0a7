// Positions of the patches of pictures of one size, as those of another.
#pragma once

#include <ATen/core/Tensor.h>

namespace sft {

// [1, 1 + n², C] → [1, 1 + m², C], bicubic between patches, the class token's row as it is: what transformers'
// interpolate_pos_encoding gives for such pictures. Undefined where the shapes are not of that form.
at::Tensor resized_positions(const at::Tensor& positions, at::IntArrayRef wanted);

}  // namespace sft
