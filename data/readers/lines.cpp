#include "data/readers/lines.h"

#include <utility>

#include "base/text.h"

namespace sft {

Lines::Lines(const std::string& path, const Place& begin, std::string wanted)
    : window_(path, begin.byte), wanted_(std::move(wanted)), number_(begin.line - 1) {
  if (begin.byte == 0) mark_ = window_.byte_order_mark();
}

bool Lines::next(std::string_view& line) {
  if (!find(line)) return false;
  // The line's bytes stay in place until the next call reads more.
  window_.consume(line.size());
  ++number_;
  line.remove_prefix(std::exchange(mark_, 0));
  return true;
}

bool Lines::find(std::string_view& line) {
  size_t searched = 0;
  while (true) {
    const std::string_view bytes = window_.bytes();
    const size_t line_break = bytes.find('\n', searched);
    if (line_break != std::string_view::npos) {
      line = bytes.substr(0, line_break + 1);
      return true;
    }
    searched = bytes.size();
    if (static_cast<int64_t>(searched) > kMostRowBytes) {
      throw DataError(concat(path(), ":", number_ + 1, ": a line is longer than ",
                             human_bytes(static_cast<double>(kMostRowBytes)), "; ", wanted_));
    }
    if (!window_.more()) {
      line = window_.bytes();
      return !line.empty();
    }
  }
}

void Lines::skip() {
  do {
    const size_t line_break = window_.bytes().find('\n');
    if (line_break != std::string_view::npos) {
      window_.consume(line_break + 1);
      ++number_;
      return;
    }
    window_.consume(window_.bytes().size());
  } while (window_.more());
}

}  // namespace sft
