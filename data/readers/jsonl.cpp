// The scanner has two states: 0 where a line starts, 1 inside one.
#include "data/readers/jsonl.h"

#include <algorithm>
#include <utility>

#include "data/readers/json_row.h"
#include "data/readers/lines.h"
#include "data/readers/window.h"

namespace sft::jsonl {
namespace {

constexpr uint8_t kLineStart = 0, kInside = 1;

class JsonlReader final : public Reader {
 public:
  JsonlReader(const std::string& path, const Place& begin, int64_t end)
      : lines_(path, begin, "one JSON object a line is wanted"), end_(end), inside_(begin.state == kInside) {}

  bool next(Row& row) override {
    std::string_view line;
    if (std::exchange(inside_, false)) lines_.skip();
    while (lines_.position() < end_ && lines_.next(line)) {
      if (is_blank(line)) continue;
      row.line = lines_.number();
      parse_json_row(line, lines_.path(), row);
      return true;
    }
    return false;
  }

 private:
  Lines lines_;
  int64_t end_;
  bool inside_;
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

}  // namespace sft::jsonl
