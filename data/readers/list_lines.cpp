#include "data/readers/list_lines.h"

#include <algorithm>

#include "base/errors.h"
#include "base/file_ops.h"
#include "base/text.h"
#include "base/utf8.h"

namespace sft {

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

StringList list_lines(const std::string& path) {
  const std::string content = read_file(path);
  if (content.starts_with("\xff\xfe") || content.starts_with("\xfe\xff"))
    throw DataError(concat(path, ": ", utf8_problem(content)));
  std::string_view rest = without_byte_order_mark(content);
  StringList lines;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    lines.emplace_back(line.substr(0, line.find_last_not_of(" \t\r") + 1));
  }
  return lines;
}

}  // namespace sft
