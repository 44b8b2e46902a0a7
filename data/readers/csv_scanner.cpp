#include "data/readers/csv_scanner.h"

#include <algorithm>

namespace sft::csv {

Scanner::Scanner(char delimiter, Quotes quotes) {
  class_['"'] = quotes == Quotes::enclose ? kQuote : kOther;
  class_[static_cast<uint8_t>(delimiter)] = kDelimiter;
  class_['\n'] = kLineBreak;
  class_['\r'] = kCarriageReturn;

  //                   other      quote           delimiter   line break    carriage return
  const Steps start = {kUnquoted, kQuoted, kCellStart, kRecordStart, kUnquoted};
  next_[kRecordStart] = start;
  next_[kCellStart] = start;
  next_[kUnquoted] = {kUnquoted, kUnquoted, kCellStart, kRecordStart, kUnquoted};
  next_[kQuoted] = {kQuoted, kQuoteInQuoted, kQuoted, kQuoted, kQuoted};
  // Text behind a closing quote is an error of the row; the record goes on as if unquoted.
  next_[kQuoteInQuoted] = {kUnquoted, kQuoted, kCellStart, kRecordStart, kQuoteInQuoted};
}

void Scanner::extend(Stretch& stretch, std::string_view bytes) const {
  stretch.bytes += static_cast<int64_t>(bytes.size());
  stretch.line_breaks += std::count(bytes.begin(), bytes.end(), '\n');
  // Behind the first delimiter or quote the five entries have mostly become two, inside and outside quotes: each
  // distinct state is walked once.
  std::array<int, Stretch::kStates> known;
  known.fill(-1);
  for (uint8_t& leaves : stretch.leaves) {
    int& end = known[leaves];
    if (end < 0) end = pass(bytes, static_cast<State>(leaves));
    leaves = static_cast<uint8_t>(end);
  }
}

}  // namespace sft::csv
