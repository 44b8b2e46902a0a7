// What a sweep ends in, as text.
#pragma once

#include <string>

#include "launch/sweep/sweep_results.h"

namespace sft {

// Every trial with its settings and every metric, in the order of the plan; RFC 4180.
std::string csv_of(const SweepResults& results);

// Settings and main metrics in columns, the best trial first; then, where seeds are varied, mean ± standard deviation
// over them.
std::string text_of(const SweepResults& results);

}  // namespace sft
