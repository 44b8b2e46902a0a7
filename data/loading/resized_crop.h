// torchvision's RandomResizedCrop: a window of a picture, drawn by its area and by its aspect ratio, is brought to a
// square. Ten draws of a window that does not fit are followed by the largest one in the middle whose ratio is in
// range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "data/images/resize.h"
#include "data/samples/schema.h"

namespace sft {

struct ResizedCrop {
  std::pair<double, double> scale = {0.08, 1.0};         // shares of the picture's area, drawn evenly
  std::pair<double, double> ratio = {3.0 / 4, 4.0 / 3};  // width / height, drawn evenly on the logarithm's scale
  int64_t size = 224;                                    // pixels of a side of what comes out
  Interpolation interpolation = Interpolation::bilinear;
};

// A pure function of (seed, draw).
Window drawn_window(const ResizedCrop& how, int64_t height, int64_t width, uint64_t seed, int64_t draw);

// The drawn window of a picture or a mask of `column`'s shape, resized, to `out` [size, size, …].
void crop_resized(const std::byte* picture, const Column& column, const ResizedCrop& how, uint64_t seed, int64_t draw,
                  std::byte* out);

}  // namespace sft
