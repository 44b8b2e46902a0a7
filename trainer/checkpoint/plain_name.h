// File names that come out of a file: they may name a neighbour, never a place elsewhere.
#pragma once

#include <string_view>

namespace sft {

inline bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

}  // namespace sft
