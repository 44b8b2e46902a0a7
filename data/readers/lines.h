// Lines one after another, from any place of a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/readers/reader.h"
#include "data/readers/window.h"

namespace sft {

inline bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == std::string_view::npos; }

class Lines {
 public:
  // `wanted` is said of a line that is longer than any row may be: "one JSON object a line is wanted".
  Lines(const std::string& path, const Place& begin, std::string wanted);

  const std::string& path() const { return window_.path(); }
  int64_t position() const { return window_.position(); }  // of the next line's first byte
  int64_t number() const { return number_; }               // of the line that was given last

  // The next line with its line break, without a byte order mark; valid until the next call. False at the end of the
  // file.
  bool next(std::string_view& line);

  void skip();  // passes over what is left of a line, without keeping it

 private:
  bool find(std::string_view& line);

  FileWindow window_;
  std::string wanted_;
  int64_t number_;
  size_t mark_ = 0;  // bytes before the first line's text
};

}  // namespace sft
