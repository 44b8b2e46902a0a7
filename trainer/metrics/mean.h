// A mean over nothing is no number, and never 0.
#pragma once

#include <limits>

namespace sft {

inline double mean_of(double sum, double count) {
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace sft
