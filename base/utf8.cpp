#include "base/utf8.h"

#include <utility>

namespace sft {
namespace {

// Of a well-formed text, by the first byte of a character.
size_t size_from(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Those beyond the basic plane have four bytes of UTF-8 and a pair of surrogates in UTF-16.
int64_t num_utf16_units(size_t size) { return size == 4 ? 2 : 1; }

template <class Count>
std::optional<size_t> byte_of(std::string_view text, int64_t place, const Count& count) {
  size_t byte = 0;
  for (; place > 0 && byte < text.size(); byte += size_from(text[byte])) place -= count(size_from(text[byte]));
  if (place != 0) return std::nullopt;
  return byte;
}

char32_t decoded(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return lead;
  char32_t value = lead & (0xFFu >> (character.size() + 1));
  for (const char byte : character.substr(1)) value = value << 6 | (static_cast<unsigned char>(byte) & 0x3Fu);
  return value;
}

}  // namespace

size_t character_size(std::string_view bytes) {
  const auto at = [&](size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u; };
  const auto follows = [&](size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return at(i) >= low && at(i) <= high;
  };
  const unsigned lead = at(0);
  if (bytes.empty()) return 0;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead == 0xE0) return follows(1, 0xA0) && follows(2) ? 3 : 0;
  if (lead == 0xED) return follows(1, 0x80, 0x9F) && follows(2) ? 3 : 0;
  if (lead >= 0xE1 && lead <= 0xEF) return follows(1) && follows(2) ? 3 : 0;
  if (lead == 0xF0) return follows(1, 0x90) && follows(2) && follows(3) ? 4 : 0;
  if (lead == 0xF4) return follows(1, 0x80, 0x8F) && follows(2) && follows(3) ? 4 : 0;
  if (lead >= 0xF1 && lead <= 0xF3) return follows(1) && follows(2) && follows(3) ? 4 : 0;
  return 0;
}

std::string utf8_problem(std::string_view bytes) {
  constexpr std::pair<std::string_view, const char*> kBeginnings[] = {
      {"\xff\xfe", "it begins as UTF-16 does: iconv -f UTF-16 -t UTF-8 converts it"},
      {"\xfe\xff", "it begins as UTF-16 does: iconv -f UTF-16 -t UTF-8 converts it"},
      {"\x1f\x8b", "it begins as gzip does: name the file with .gz at its end, or unpack it with gunzip"},
      {"\x28\xb5\x2f\xfd", "it begins as Zstandard does: name the file with .zst at its end, or unpack it with unzstd"},
      {"PK\x03\x04", "it begins as a ZIP archive does, which .xlsx is too: unpack it, or save the table as CSV"},
  };
  for (const auto& [beginning, cure] : kBeginnings)
    if (bytes.starts_with(beginning)) return std::string("not valid UTF-8; ") + cure;
  return "not valid UTF-8; iconv -f LATIN1 -t UTF-8, or from what it is, converts it";
}

int64_t num_characters(std::string_view text) {
  int64_t count = 0;
  for (size_t at = 0; at < text.size(); at += size_from(text[at])) ++count;
  return count;
}

std::u32string characters_of(std::string_view text) {
  std::u32string out;
  for (size_t at = 0; at < text.size(); at += size_from(text[at])) out += decoded(text.substr(at, size_from(text[at])));
  return out;
}

std::string utf8_of(std::u32string_view characters) {
  std::string out;
  const auto put = [&](char32_t lead, char32_t value, int rest) {
    out += static_cast<char>(lead | value >> (6 * rest));
    while (--rest >= 0) out += static_cast<char>(0x80u | (value >> (6 * rest) & 0x3Fu));
  };
  for (const char32_t character : characters) {
    if (character < 0x80) {
      put(0, character, 0);
    } else if (character < 0x800) {
      put(0xC0, character, 1);
    } else if (character < 0x10000) {
      put(0xE0, character, 2);
    } else {
      put(0xF0, character, 3);
    }
  }
  return out;
}

std::optional<size_t> byte_of_character(std::string_view text, int64_t character) {
  return byte_of(text, character, [](size_t) { return 1; });
}

std::optional<size_t> byte_of_utf16_unit(std::string_view text, int64_t unit) {
  return byte_of(text, unit, num_utf16_units);
}

}  // namespace sft
