// CSV and TSV: RFC 4180 with a header row. A quoted cell, where quotes enclose, may hold delimiters, line breaks and
// doubled quotes; a quote inside an unquoted cell is an ordinary character; lines end in LF or CRLF; blank lines are
// passed over.
#pragma once

#include "data/readers/reader.h"

namespace sft::csv {

template <char Delimiter, Quotes quotes>
std::unique_ptr<Reader> open(const std::string& path, const Place& begin, int64_t end);

template <char Delimiter, Quotes quotes>
Stretch survey(const std::string& path, int64_t begin, int64_t end);

template <char Delimiter, Quotes quotes>
std::vector<std::string> columns(const std::string& path);

}  // namespace sft::csv
