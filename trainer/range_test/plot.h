// The smoothed curve in a terminal.
#pragma once

#include <string>

#include "trainer/range_test/rate_curve.h"

namespace sft {

// About 80 columns and 20 lines of UTF-8; the suggested rates are marked under the axis. "" without points.
std::string plot_text(const RateCurve& curve);

}  // namespace sft
