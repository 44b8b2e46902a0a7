// How boxes lie to each other.
#pragma once

#include <array>

namespace sft {

// Generalised IoU (Rezatofighi et al., 2019, equation 1) of two boxes, each centre x, centre y, width, height: from −1,
// far apart, to 1, the same.
double generalized_iou(const std::array<double, 4>& a, const std::array<double, 4>& b);

}  // namespace sft
