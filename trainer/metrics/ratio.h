#pragma once

namespace sft {

// part / whole, and 0 of nothing, as scikit-learn counts with zero_division = 0.
inline double ratio(double part, double whole) { return whole == 0.0 ? 0.0 : part / whole; }

}  // namespace sft
