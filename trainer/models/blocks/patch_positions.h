// Positions of the patches of pictures of one size, as those of another.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sft {

// The rows and columns of patches that a picture is cut into.
struct PatchGrid {
  int64_t height = 0, width = 0;
  int64_t patches() const { return height * width; }
  bool operator==(const PatchGrid&) const = default;
};

// [L, 1 + patches of `before` + R, C] → [L, 1 + patches of `after` + R, C]: bicubic between patches, the row in front
// of them and the R rows behind them as they are, with a gradient; what transformers' interpolate_pos_encoding and
// YOLOS' InterpolateInitialPositionEmbeddings give for such pictures. In the type of the positions, or float32 where
// that is narrower.
at::Tensor positions_on(const at::Tensor& positions_LTC, const PatchGrid& before, const PatchGrid& after);

// The same of squares, n × n → m × m, with no rows behind them. Undefined where the shapes are not of that form.
at::Tensor resized_positions(const at::Tensor& positions, at::IntArrayRef wanted);

}  // namespace sft
