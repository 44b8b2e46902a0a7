#include "data/readers/json_array.h"

#include "base/text.h"
#include "data/readers/json_row.h"
#include "data/readers/json_walk.h"
#include "data/readers/lines.h"

namespace sft::json_array {
namespace {

constexpr std::string_view kName = "data";

class ArrayReader final : public Reader {
 public:
  explicit ArrayReader(const std::string& path) : path_(path), walk_(path), is_member_(walk_.peek() == '{') {
    if (is_member_) {
      walk_.enter('{');
      walk_.find(kName);
    }
    walk_.enter('[');
  }

  bool next(Row& row) override {
    if (has_ended_) return false;
    if (!walk_.next_item(']')) {
      has_ended_ = true;
      while (is_member_ && walk_.next_item('}')) {
        walk_.key();
        walk_.value();
      }
      walk_.end();
      return false;
    }
    const std::string_view text = walk_.value();
    row.line = walk_.line();
    parse_json_row(text, path_, row);
    return true;
  }

 private:
  std::string path_;
  JsonWalk walk_;
  bool is_member_, has_ended_ = false;
};

// Whether the first line is a whole object and others follow it. A line that is longer than any row may be is no row:
// the document stands on one line.
bool are_lines(const std::string& path) {
  Lines lines(path, {}, "");
  std::string_view line;
  try {
    do {
      if (!lines.next(line)) return false;
    } while (is_blank(line));
    Row row;
    parse_json_row(line, path, row);
  } catch (const DataError&) {
    return false;
  }
  while (lines.next(line))
    if (!is_blank(line)) return true;
  return false;
}

}  // namespace

bool is_array(const std::string& path) {
  try {
    JsonWalk walk(path);
    if (walk.peek() == '[') return true;
    walk.enter('{');
    if (!walk.find(kName) || walk.peek() != '[') return false;
    walk.enter('[');
    return walk.next_item(']') && walk.peek() == '{' && !are_lines(path);
  } catch (const DataError&) {
    return false;  // the reader of JSON lines tells what is wrong
  }
}

std::unique_ptr<Reader> open(const std::string& path) { return std::make_unique<ArrayReader>(path); }

}  // namespace sft::json_array
