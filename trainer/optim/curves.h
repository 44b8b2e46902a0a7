// The shapes of a schedule: factors of the peak rate as pure functions of the update number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sft {

struct CurveSettings {
  int64_t warmup = 0;  // updates
  int64_t total = 0;   // updates, warm-up included
  double floor = 0.0;  // share of the peak
  double peak = 0.0;   // the rate itself; polynomial's end is absolute in Hugging Face
};

using Curve = double (*)(const CurveSettings& settings, int64_t step);

// nullptr where there is none of that name.
Curve find_curve(const std::string& name);
std::vector<std::string> curve_names();

// The straight line from 0 that most curves begin with; 1 after it.
double warmup_factor(const CurveSettings& settings, int64_t step);

}  // namespace sft
