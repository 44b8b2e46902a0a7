// How a window of a convolution or a pooling is laid over a picture, as TensorFlow defines "valid" and "same".
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

#include "trainer/models/keras/layer.h"

namespace sft::keras {

struct Window {
  std::array<int64_t, 2> size, stride, dilation = {1, 1};
  bool same = false;  // padding

  // Sides of what goes out, −1 where the side that comes in is; 0 and less: the picture is smaller than the window.
  int64_t side(int64_t in, size_t along) const;
  // What "same" lays before and behind: the odd one behind, where torch has it on both sides.
  std::array<int64_t, 2> padding(int64_t in, size_t along) const;
  // x [B, C, H, W] with `value` around it; x itself where nothing is to be laid.
  at::Tensor padded(const at::Tensor& x, double value) const;
};

// The window of a layer: `size_key`, "strides", "padding" and, of convolutions, "dilation_rate". Without strides a
// pooling steps by its size. DataError where the picture is smaller than the window.
Window read_window(const LayerConfig& config, const char* size_key, const Shape& picture);

}  // namespace sft::keras
