// Rows of a file: each is read, and they are the same where the file is cut in two at any byte.
#pragma once

#include "base/text.h"
#include "data/readers/reader.h"
#include "fuzz/input.h"

namespace sft::fuzz {

inline std::string rows_of(const std::string& path, const Place& begin, int64_t end, Quotes quotes) {
  std::string all;
  const auto reader = open_reader(path, begin, end, quotes);
  for (Row row;;) {
    try {
      if (!reader->next(row)) return all;
      all += concat(row.line, ":");
      for (const std::string& name : row.names()) all += concat(name, "=", row.find(name)->text, ";");
    } catch (const BadRow& error) {
      all += error.what();
    }
    all += '\n';
  }
}

// The input's first byte says where it is cut.
inline void read_rows(const std::string& name, std::string_view input, Quotes quotes = Quotes::enclose) {
  if (input.empty()) return;
  const auto share = static_cast<uint8_t>(input.front());
  input.remove_prefix(1);
  const std::string path = folder().put(name, input);
  const auto size = static_cast<int64_t>(input.size());
  const int64_t cut = size * share / 255;
  allow_errors([&] {
    columns_of(path, quotes);
    const std::string whole = rows_of(path, {}, size, quotes);
    const std::string parts =
        rows_of(path, {}, cut, quotes) + rows_of(path, behind({}, survey(path, 0, cut, quotes)), size, quotes);
    if (whole != parts) __builtin_trap();
  });
}

}  // namespace sft::fuzz
