#include "data/readers/json_walk.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

bool is_space(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

bool ends_scalar(char byte) { return is_space(byte) || byte == ',' || byte == '}' || byte == ']' || byte == ':'; }

}  // namespace

JsonWalk::JsonWalk(const std::string& path) : window_(path, 0) { take(window_.byte_order_mark()); }

void JsonWalk::fail(const std::string& problem) const {
  throw DataError(concat(window_.path(), ":", next_line_, ": ", problem));
}

char JsonWalk::at(size_t place) {
  while (place >= window_.bytes().size()) {
    if (static_cast<int64_t>(place) > kMostRowBytes)
      fail(concat("a value is longer than ", human_bytes(static_cast<double>(kMostRowBytes))));
    if (!window_.more()) fail("the JSON document ends too early; is the file cut off?");
  }
  return window_.bytes()[place];
}

void JsonWalk::take(size_t count) {
  const std::string_view taken = window_.bytes().substr(0, count);
  next_line_ += std::count(taken.begin(), taken.end(), '\n');
  window_.consume(count);
}

char JsonWalk::peek() {
  while (is_space(at(0))) take(1);
  return at(0);
}

void JsonWalk::enter(char bracket) {
  if (peek() != bracket) fail(concat("wanted '", bracket, "', found ", in_quotes(std::string(1, peek()))));
  take(1);
  is_first_.push_back(true);
}

bool JsonWalk::next_item(char bracket) {
  if (peek() == bracket) {
    take(1);
    is_first_.pop_back();
    return false;
  }
  const bool is_first = is_first_.back();
  is_first_.back() = false;
  if (is_first) return true;
  if (peek() != ',') fail(concat("wanted ',' or '", bracket, "', found ", in_quotes(std::string(1, peek()))));
  take(1);
  return true;
}

bool JsonWalk::find(std::string_view name) {
  while (next_item('}')) {
    if (key() == name) return true;
    value();
  }
  return false;
}

std::string JsonWalk::key() {
  if (peek() != '"') fail(concat("wanted a key in quotes, found ", in_quotes(std::string(1, peek()))));
  std::string name(value().substr(1));
  name.pop_back();
  if (peek() != ':') fail(concat("wanted ':' behind the key ", in_quotes(name)));
  take(1);
  return name;
}

std::string_view JsonWalk::value() {
  peek();
  line_ = next_line_;
  const size_t size = end_of_value();
  if (size == 0) fail(concat("wanted a value, found ", in_quotes(std::string(1, peek()))));
  const std::string_view text = window_.bytes().substr(0, size);
  take(size);
  return text;  // its bytes stay in place until the next call reads more
}

// Behind the closing quote of the string that begins there.
size_t JsonWalk::end_of_string(size_t begin) {
  size_t place = begin + 1;
  for (; at(place) != '"'; ++place) {
    if (at(place) == '\\') ++place;
  }
  return place + 1;
}

size_t JsonWalk::end_of_value() {
  size_t place = 0;
  if (at(0) == '"') return end_of_string(0);
  if (at(0) != '{' && at(0) != '[') {
    while (!ends_scalar(at(place))) ++place;
    return place;
  }
  for (int64_t depth = 0;;) {
    const char byte = at(place);
    if (byte == '"') {
      place = end_of_string(place);
      continue;
    }
    ++place;
    if (byte == '{' || byte == '[') ++depth;
    if ((byte == '}' || byte == ']') && --depth == 0) return place;
  }
}

void JsonWalk::end() {
  while (!window_.bytes().empty() || window_.more()) {
    if (!is_space(at(0))) fail("the JSON document has ended, but the file goes on");
    take(1);
  }
}

}  // namespace sft
