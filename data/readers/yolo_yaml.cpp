#include "data/readers/yolo_yaml.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "base/utf8.h"
#include "data/readers/list_lines.h"

namespace sft {
namespace {

struct Item {
  std::string key;  // "": of a list
  std::string value;
};

struct Entry {
  int64_t line = 0;
  std::vector<Item> items = {};  // one without a key: a scalar
};

std::string trimmed(std::string text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  text.erase(text.begin(), std::ranges::find_if_not(text, is_space));
  while (!text.empty() && is_space(text.back())) text.pop_back();
  return text;
}

// Where `wanted` stands first outside quotes; npos.
size_t outside_quotes(const std::string& text, std::string_view wanted) {
  char quote = '\0';
  for (size_t i = 0; i < text.size(); ++i) {
    if (quote != '\0') {
      if (text[i] == quote) quote = '\0';
    } else if ((text[i] == '"' || text[i] == '\'') &&
               (i == 0 || text[i - 1] == ' ' || text[i - 1] == '[' || text[i - 1] == ',' || text[i - 1] == '{')) {
      quote = text[i];
    } else if (std::string_view(text).substr(i).starts_with(wanted)) {
      return i;
    }
  }
  return std::string::npos;
}

std::string without_comment(const std::string& line) {
  if (!line.empty() && line[0] == '#') return "";
  return line.substr(0, outside_quotes(line, " #"));
}

std::string unquoted(std::string text) {
  text = trimmed(std::move(text));
  if (text.size() < 2 || (text[0] != '"' && text[0] != '\'') || text.back() != text[0]) return text;
  const bool doubles = text[0] == '\'';  // the quote that stands in such a text
  text = text.substr(1, text.size() - 2);
  if (doubles)
    for (size_t at = 0; (at = text.find("''", at)) != std::string::npos; ++at) text.erase(at, 1);
  return text;
}

class Yaml {
 public:
  explicit Yaml(const std::string& file) : file_(file) {
    std::string open;  // of brackets that go on in the next line
    Entry* entry = nullptr;
    bool in_block = false;  // behind "key: |", whose text is indented
    for (const std::string& raw : list_lines(file)) {
      ++line_;
      in_block = in_block && (trimmed(raw).empty() || raw[0] == ' ' || raw[0] == '\t');
      if (in_block) continue;
      std::string line = without_comment(raw);
      if (trimmed(line).empty() || trimmed(line) == "---") continue;
      if (!open.empty()) {
        open += " " + trimmed(line);
        if (is_whole(open)) read_brackets(std::exchange(open, ""), *entry);
        continue;
      }
      const bool is_indented = line[0] == ' ' || line[0] == '\t' || line[0] == '-';
      if (is_indented) {
        if (entry == nullptr) fail("wanted a key first, as names:");
        read_item(trimmed(line), *entry);
        continue;
      }
      const auto [key, value] = cut(line);
      entry = &entries_[key];
      entry->line = line_;
      if (value.empty()) continue;
      in_block = value[0] == '|' || value[0] == '>';
      if (value[0] == '[' || value[0] == '{') {
        if (is_whole(value))
          read_brackets(value, *entry);
        else
          open = value;
      } else {
        entry->items.push_back({"", unquoted(value)});
      }
    }
    if (!open.empty()) fail("a bracket is not closed");
  }

  const std::map<std::string, Entry>& entries() const { return entries_; }

  [[noreturn]] void fail(const std::string& problem, int64_t line = 0) const {
    throw DataError(concat(file_, ":", line > 0 ? line : line_, ": ", problem));
  }

 private:
  static bool is_whole(const std::string& text) { return text.back() == (text[0] == '[' ? ']' : '}'); }

  std::pair<std::string, std::string> cut(const std::string& text) const {
    const size_t colon = outside_quotes(text + " ", ": ");
    if (colon == std::string::npos) fail(concat("wanted \"key: value\", found ", in_quotes(trimmed(text))));
    return {unquoted(text.substr(0, colon)), trimmed(text.substr(std::min(colon + 1, text.size())))};
  }

  void read_item(const std::string& text, Entry& into) const {
    if (text.starts_with("- ") || text == "-") return into.items.push_back({"", unquoted(text.substr(1))});
    const auto [key, value] = cut(text);
    into.items.push_back({key, unquoted(value)});
  }

  void read_brackets(const std::string& text, Entry& into) const {
    std::string rest = text.substr(1, text.size() - 2);
    while (!trimmed(rest).empty()) {
      const size_t comma = outside_quotes(rest, ",");
      const std::string item = trimmed(rest.substr(0, comma));
      rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
      if (text[0] == '[') {
        into.items.push_back({"", unquoted(item)});
      } else {
        const auto [key, value] = cut(item);
        into.items.push_back({key, unquoted(value)});
      }
    }
  }

  std::string file_;
  int64_t line_ = 0;
  std::map<std::string, Entry> entries_;
};

std::vector<std::string> names_of(const Yaml& yaml, const Entry& entry) {
  std::vector<std::string> names;
  for (const Item& item : entry.items) {
    if (!item.key.empty() && item.key != std::to_string(names.size()))
      yaml.fail(concat("names: wanted class ", names.size(), " next, found ", in_quotes(item.key)), entry.line);
    if (item.value.empty() || std::ranges::find(names, item.value) != names.end())
      yaml.fail(concat("names: class ", names.size(), " is called ", in_quotes(item.value),
                       "; wanted a name of its own for each"),
                entry.line);
    if (!is_valid_utf8(item.value))
      yaml.fail(concat("names: class ", names.size(), " is ", utf8_problem(item.value)), entry.line);
    names.push_back(item.value);
  }
  return names;
}

// Of "kpt_shape: [17, 3]".
int64_t keypoint_numbers_of(const Yaml& yaml, const Entry& entry) {
  constexpr int64_t kMost = 10'000;
  int64_t product = 1;
  for (const Item& item : entry.items) {
    int64_t count = 0;
    const char* const end = item.value.data() + item.value.size();
    const auto [read, error] = std::from_chars(item.value.data(), end, count);
    if (error != std::errc() || read != end || count < 1 || count > kMost || product * count > kMost)
      yaml.fail("kpt_shape: wanted how many keypoints an object has and how many numbers a keypoint, as [17, 3]",
                entry.line);
    product *= count;
  }
  return entry.items.empty() ? 0 : product;
}

}  // namespace

YoloYaml read_yolo_yaml(const std::string& file) {
  const Yaml yaml(file);
  YoloYaml out;
  for (const auto& [key, entry] : yaml.entries()) {
    if (key == "names") out.names = names_of(yaml, entry);
    if (key == "kpt_shape") out.keypoint_numbers = keypoint_numbers_of(yaml, entry);
    if (key == "path" && !entry.items.empty()) out.path = entry.items.front().value;
    if (key == "train" || key == "val" || key == "test")
      for (const Item& item : entry.items) out.splits[key].push_back(item.value);
  }
  if (out.names.empty()) throw DataError(concat(file, ": has no names of classes; wanted names: [cat, dog]"));
  return out;
}

}  // namespace sft
