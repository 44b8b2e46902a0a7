#pragma once

#include <cstdio>
#include <string>

namespace sft {

// A coordinate in a drawing, with one digit behind the point.
inline std::string svg_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

}  // namespace sft
