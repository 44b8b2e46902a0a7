#include "trainer/tasks/question_answering/rows/context_piece.h"

#include <algorithm>
#include <limits>

#include "base/utf8.h"

namespace sft {

bool ContextPiece::holds(int32_t begin, int32_t end) const {
  return first <= begin && byte_of_character(text, end - first).has_value();
}

std::string_view ContextPiece::cut(int32_t begin, int32_t end) const {
  const std::string_view rest = text.substr(byte_of_character(text, begin - first).value());
  return rest.substr(0, byte_of_character(rest, end - begin).value());
}

ContextPiece piece_of(const ContextWindow& window, std::string_view context) {
  int32_t first = std::numeric_limits<int32_t>::max(), end = 0;
  for (size_t token = 0; token < window.first.size(); ++token) {
    if (window.first[token] < 0) continue;
    first = std::min(first, window.first[token]);
    end = std::max(end, window.end[token]);
  }
  if (first >= end) return {};
  return {first, ContextPiece{0, context}.cut(first, end)};
}

}  // namespace sft
