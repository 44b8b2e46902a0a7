// A range test as one HTML page that needs nothing but itself.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "trainer/range_test/rate_curve.h"

namespace sft {

// What the test was made with, in order: {"model", "models/minilm"}. Any text.
using RangeFacts = std::vector<std::pair<std::string, std::string>>;

std::string range_page(const RateCurve& curve, const RangeFacts& facts);

}  // namespace sft
