// The part of a context that a window holds, which is all that its answers are cut from.
#pragma once

#include <cstdint>
#include <string_view>

#include "data/text/tokenizer.h"

namespace sft {

// Characters first … of a context; borrowed.
struct ContextPiece {
  int32_t first = 0;
  std::string_view text = {};

  bool holds(int32_t begin, int32_t end) const;
  // Characters begin … end−1 of the context, which it holds.
  std::string_view cut(int32_t begin, int32_t end) const;
};

// From the first character that is in a token of the window to the last one.
ContextPiece piece_of(const ContextWindow& window, std::string_view context);

}  // namespace sft
