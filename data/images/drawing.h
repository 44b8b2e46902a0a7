// Boxes drawn into pictures.
#pragma once

#include <array>

#include "data/images/image.h"
#include "data/images/letterbox.h"

namespace sft {

// An outline of so many pixels' width, inside the corners left, top, right and bottom; what lies outside the picture is
// not drawn.
void draw_outline(Image& image, const std::array<double, 4>& corners, int64_t width, const Colour& colour);

}  // namespace sft
