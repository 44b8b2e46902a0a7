// Where CSV records end: a machine of five states, one step a byte.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "data/readers/reader.h"

namespace sft::csv {

enum State : uint8_t { kRecordStart, kCellStart, kUnquoted, kQuoted, kQuoteInQuoted };

class Scanner {
 public:
  Scanner(char delimiter, Quotes quotes);

  State step(State state, char byte) const { return next_[state][class_[static_cast<uint8_t>(byte)]]; }

  // Steps over `bytes` from `from` on, up to and with the line break that ends the record. Returns the place
  // behind it, or npos where the record goes on behind `bytes`; `state` is as there.
  size_t find_end(std::string_view bytes, size_t from, State& state) const {
    for (size_t i = from; i < bytes.size(); ++i) {
      if (state == kQuoted) i = std::min(bytes.find('"', i), bytes.size());  // nothing else matters there
      if (i == bytes.size()) break;
      state = step(state, bytes[i]);
      if (state == kRecordStart) return i + 1;
    }
    return std::string_view::npos;
  }

  // The state behind `bytes`.
  State pass(std::string_view bytes, State state) const {
    for (size_t from = 0; from != std::string_view::npos && from < bytes.size();) from = find_end(bytes, from, state);
    return state;
  }

  // Lengthens `stretch` by `bytes`.
  void extend(Stretch& stretch, std::string_view bytes) const;

 private:
  enum Class : uint8_t { kOther, kQuote, kDelimiter, kLineBreak, kCarriageReturn, kNumClasses };
  using Steps = std::array<State, kNumClasses>;

  std::array<Class, 256> class_{};
  std::array<Steps, Stretch::kStates> next_;
};

}  // namespace sft::csv
