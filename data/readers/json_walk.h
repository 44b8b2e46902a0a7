// A JSON document too large to be held: walked from its outside, its values handed over one by one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/readers/window.h"

namespace sft {

// All throw DataError naming file and line where the document is not what is asked for, or ends too early. What is in a
// value that is handed over is not looked at beside its brackets and strings.
class JsonWalk {
 public:
  explicit JsonWalk(const std::string& path);

  void enter(char bracket);          // '{' or '['
  bool next_item(char bracket);      // whether the list or object has another one; if not, leaves by '}' or ']'
  std::string key();                 // of an object's item, as it is spelt; the colon is passed over
  bool find(std::string_view name);  // passes over an object's items up to that one's value; false where it ends
  std::string_view value();          // the text of the value that comes next; valid until the next call
  char peek();                       // its first byte
  void end();                        // nothing but white space is left

  int64_t line() const { return line_; }  // of the value that was handed over, its first
  [[noreturn]] void fail(const std::string& problem) const;

 private:
  void take(size_t count);
  char at(size_t place);  // of the window; reads on where needed
  size_t end_of_string(size_t begin);
  size_t end_of_value();

  FileWindow window_;
  int64_t next_line_ = 1, line_ = 1;
  std::vector<bool> is_first_;  // of each list or object that was entered: no item was asked for yet
};

}  // namespace sft
