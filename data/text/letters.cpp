#include "data/text/letters.h"

#include <sft_native.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "base/errors.h"

namespace sft {
namespace {

struct FreeText {
  void operator()(sft_text* it) const { sft_text_free(it); }
};

std::string made_by(int (*call)(sft_bytes, sft_text**), std::string_view text) {
  sft_text* made = nullptr;
  if (call({text.data(), text.size()}, &made) != SFT_NATIVE_OK) {
    const sft_bytes error = sft_native_error();
    throw DataError(std::string(error.data, error.size));
  }
  const std::unique_ptr<sft_text, FreeText> owner(made);
  const sft_bytes bytes = sft_text_get(made);
  return {bytes.data, bytes.size};
}

bool is_among(char32_t character, char32_t first, char32_t last) { return character >= first && character <= last; }

}  // namespace

std::string lowercase(std::string_view text) { return made_by(sft_lowercase, text); }
std::string folded(std::string_view text) { return made_by(sft_folded, text); }

bool is_alphanumeric(char32_t character) { return sft_is_alphanumeric(character) != 0; }

bool is_white_space(char32_t character) {
  constexpr std::u32string_view kOthers = U"\u0020\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000";
  return is_among(character, 0x09, 0x0D) || is_among(character, 0x1C, 0x1F) || is_among(character, 0x2000, 0x200A) ||
         kOthers.find(character) != kOthers.npos;
}

bool is_punctuation(char32_t character) {
  return is_among(character, 0x21, 0x2F) || is_among(character, 0x3A, 0x40) || is_among(character, 0x5B, 0x60) ||
         is_among(character, 0x7B, 0x7E);
}

std::u32string_view stripped(std::u32string_view text) {
  const auto first = std::find_if_not(text.begin(), text.end(), is_white_space);
  const auto end = std::find_if_not(text.rbegin(), std::make_reverse_iterator(first), is_white_space).base();
  return {first, end};
}

std::vector<std::u32string> words_between_spaces(std::u32string_view text) {
  std::vector<std::u32string> words;
  bool inside = false;
  for (const char32_t character : text) {
    const bool separates = is_white_space(character);
    if (!separates && !inside) words.emplace_back();
    if (!separates) words.back() += character;
    inside = !separates;
  }
  return words;
}

bool is_cjk(char32_t character) {
  return is_among(character, 0x3040, 0x30FF) || is_among(character, 0x3400, 0x4DBF) ||
         is_among(character, 0x4E00, 0x9FFF) || is_among(character, 0xF900, 0xFAFF) ||
         is_among(character, 0x20000, 0x3FFFF);
}

}  // namespace sft
