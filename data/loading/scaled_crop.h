// Random scale and crop, as semantic segmentation trains: a picture is resized by a drawn factor, and a window of the
// size that batches have is seen of it at a random place. Where it is smaller than the window, it lies in it at a
// random place, and what is beside it is of one colour and of no class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "data/images/letterbox.h"
#include "data/images/resize.h"
#include "data/samples/schema.h"

namespace sft {

struct ScaledCrop {
  std::pair<double, double> scale = {0.5, 2.0};  // of the window's size, drawn evenly
  int64_t height = 0, width = 0;                 // of what comes out
  Interpolation interpolation = Interpolation::bilinear;
  Colour beside = {0, 0, 0};  // of a picture; a mask has no class there
};

// What one draw does: the size that a picture gets, and where in it the window's corner lies, which may be negative.
struct DrawnScale {
  int64_t height = 0, width = 0, top = 0, left = 0;
};

// A pure function of (seed, draw).
DrawnScale drawn_scale(const ScaledCrop& how, uint64_t seed, int64_t draw);

// The drawn window of a picture or a mask of `column`'s shape, to `out`.
void crop_scaled(const std::byte* picture, const Column& column, const ScaledCrop& how, uint64_t seed, int64_t draw,
                 std::byte* out);

}  // namespace sft
