// Text in UTF-8 as a row of characters: code points of Unicode.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sft {

// Bytes of the well-formed character at the start of `bytes` (Unicode 15, table 3-7), 0 if there is none: overlong
// forms, surrogates and values above U+10FFFF are not characters.
size_t character_size(std::string_view bytes);

// What to say of bytes that are not UTF-8, with the cure: UTF-16 and what is packed are told from other encodings.
std::string utf8_problem(std::string_view bytes);

// Texts below are well-formed: is_valid_utf8() of base/text.h.

int64_t num_characters(std::string_view text);
std::u32string characters_of(std::string_view text);
std::string utf8_of(std::u32string_view characters);

// The byte at which a character begins, counted from 0; text.size() is the place behind the last one. Nothing where the
// text is shorter.
std::optional<size_t> byte_of_character(std::string_view text, int64_t character);

// The same for a place counted in units of UTF-16, as Java and JavaScript do; nothing inside a character.
std::optional<size_t> byte_of_utf16_unit(std::string_view text, int64_t unit);

}  // namespace sft
