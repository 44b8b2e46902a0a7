// The scanner has two states: 0 where a line starts, 1 inside one.
#include "data/readers/jsonl.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/text.h"
#include "data/readers/json_row.h"
#include "data/readers/window.h"

namespace sft::jsonl {
namespace {

constexpr uint8_t kLineStart = 0, kInside = 1;

class JsonlReader final : public Reader {
 public:
  JsonlReader(const std::string& path, const Place& begin, int64_t end)
      : window_(path, begin.byte), line_(begin.line), end_(end), inside_(begin.state == kInside) {
    if (begin.byte == 0) mark_ = static_cast<size_t>(byte_order_mark(window_.file()));
  }

  bool next(Row& row) override {
    if (inside_) skip_line();
    std::string_view line;
    while (window_.position() < end_ && find_line(line)) {
      row.line = line_;
      // The line's bytes stay in place until the next call reads more.
      window_.consume(line.size());
      ++line_;
      line.remove_prefix(std::exchange(mark_, 0));
      const bool blank = line.find_first_not_of(" \t\r\n") == std::string_view::npos;
      if (blank) continue;
      parse_json_row(line, window_.file().path(), row);
      return true;
    }
    return false;
  }

 private:
  // The line at the front of the window, its line break included; false at the end of the file.
  bool find_line(std::string_view& line) {
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
        throw DataError(concat(window_.file().path(), ":", line_, ": a line is longer than ",
                               human_bytes(static_cast<double>(kMostRowBytes)), "; one JSON object a line is wanted"));
      }
      if (!window_.more()) {
        line = window_.bytes();
        return !line.empty();
      }
    }
  }

  // Passes over the rest of a line that started before the range, without keeping it.
  void skip_line() {
    inside_ = false;
    do {
      const size_t line_break = window_.bytes().find('\n');
      if (line_break != std::string_view::npos) {
        window_.consume(line_break + 1);
        ++line_;
        return;
      }
      window_.consume(window_.bytes().size());
    } while (window_.more());
  }

  Window window_;
  int64_t line_;
  int64_t end_;
  bool inside_;
  size_t mark_ = 0;  // bytes before the first line's text
};

}  // namespace

std::unique_ptr<Reader> open(const std::string& path, const Place& begin, int64_t end) {
  return std::make_unique<JsonlReader>(path, begin, end);
}

Stretch survey(const std::string& path, int64_t begin, int64_t end) {
  Stretch stretch;
  for_each_block(path, begin, end, [&](std::string_view block) {
    stretch.bytes += static_cast<int64_t>(block.size());
    stretch.line_breaks += std::count(block.begin(), block.end(), '\n');
    stretch.leaves.fill(block.back() == '\n' ? kLineStart : kInside);
  });
  return stretch;
}

std::vector<std::string> columns(const std::string& path) {
  const auto reader = open(path, Place{}, std::numeric_limits<int64_t>::max());
  Row row;
  while (true) {
    try {
      return reader->next(row) ? row.names() : std::vector<std::string>{};
    } catch (const BadRow&) {
      continue;  // told, or counted, when the rows are read
    }
  }
}

}  // namespace sft::jsonl
