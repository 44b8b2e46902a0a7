// Pictures of any shape in a square: the longer side fits, and what is left over is of one colour.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "data/images/image.h"
#include "data/images/resize.h"

namespace sft {

// Where a picture's points lie in what is seen of it: x is seen at scale_x · x + left, y at scale_y · y + top. Points
// are counted from the upper left corner of the first pixel. A negative scale mirrors.
struct View {
  float scale_x = 1, scale_y = 1, left = 0, top = 0;

  double seen_x(double x) const { return double{scale_x} * x + left; }
  double seen_y(double y) const { return double{scale_y} * y + top; }
  double original_x(double x) const { return (x - left) / scale_x; }
  double original_y(double y) const { return (y - top) / scale_y; }
};

// What is seen through a view, resized by two factors, of which a window at (left, top) is looked at.
View scaled(const View& view, double by_x, double by_y, double left, double top);

// The picture lies in the upper left corner, as transformers' image processors of detectors pad; sizes are rounded
// down as theirs are (49 pixels fill 511 of 512), and at least 1.
View letterbox_view(int64_t height, int64_t width, int64_t side);

using Colour = std::array<uint8_t, 3>;

// What is near 0 once `mean` is taken from it, numbers between 0 and 1; none: ImageNet's mean.
Colour padding_colour(std::span<const double> mean);

Image letterboxed(const Image& image, int64_t side, Interpolation how, const Colour& beside);

}  // namespace sft
