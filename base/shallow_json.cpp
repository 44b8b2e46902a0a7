#include "base/shallow_json.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr auto kOfPython = std::to_array<std::string_view>({"NaN", "Infinity", "-Infinity"});

// The letters, digits and minus signs around a place.
std::string_view word_at(std::string_view text, size_t at) {
  const auto is_of_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-'; };
  size_t first = std::min(at, text.size()), end = first;
  while (first > 0 && is_of_word(text[first - 1])) --first;
  while (end < text.size() && is_of_word(text[end])) ++end;
  return text.substr(first, end - first);
}

// The key in front of a value; "" where none is seen.
std::string_view key_before(std::string_view text, size_t at) {
  const size_t colon = text.rfind(':', at);
  if (colon == text.npos) return "";
  const size_t end = text.rfind('"', colon);
  if (end == text.npos || end == 0) return "";
  const size_t start = text.rfind('"', end - 1);
  return start == text.npos ? "" : text.substr(start + 1, end - start - 1);
}

// "syntax error while parsing value - …", without what stands before it in the library's words.
std::string reason_in(std::string_view told) {
  for (const std::string_view before : {"] ", "column "})
    if (const size_t at = told.find(before); at != told.npos) told.remove_prefix(at + before.size());
  if (const size_t at = told.find(": "); at != told.npos && at < 8) told.remove_prefix(at + 2);
  constexpr size_t kLongest = 160;
  return escaped(told.substr(0, kLongest));
}

std::string told_fault(std::string_view text, size_t byte, std::string_view reason) {
  const size_t at = byte > 0 ? byte - 1 : 0;
  const auto line = 1 + std::ranges::count(text.substr(0, at), '\n');
  const std::string_view word = word_at(text, at);
  if (std::ranges::find(kOfPython, word) == kOfPython.end()) return concat("line ", line, ": ", reason_in(reason));
  const std::string_view key = key_before(text, at);
  return concat("line ", line, ": ", key.empty() ? "a value" : std::string(key), " is ", word,
                ", which Python writes and JSON does not have; write the number that is meant there, or null");
}

}  // namespace

nlohmann::json parse_shallow_json(std::string_view text, const std::string& where) {
  constexpr int kMostLevels = 64;
  const auto shallow = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > kMostLevels) throw DataError(concat(where, ": nested deeper than ", kMostLevels, " levels"));
    return true;
  };
  if (text.empty()) return nlohmann::json(nlohmann::json::value_t::discarded);
  try {
    return nlohmann::json::parse(text, shallow);
  } catch (const nlohmann::json::parse_error& error) {
    throw DataError(concat(where, " is not JSON: ", told_fault(text, error.byte, error.what())));
  } catch (const nlohmann::json::exception& error) {
    throw DataError(concat(where, " is not JSON: ", reason_in(error.what())));
  }
}

}  // namespace sft
