// Letters of all scripts, by Unicode.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sft {

// As Python's str.lower: of one letter may become two, and a sigma that ends a word is the final one. DataError where
// the text is not valid UTF-8.
std::string lowercase(std::string_view text);

// The same for texts that differ in case, blanks or Unicode form (NFKC) alone. DataError as above.
std::string folded(std::string_view text);

bool is_alphanumeric(char32_t character);  // a letter, digit or number
bool is_white_space(char32_t character);   // Python's str.isspace
bool is_punctuation(char32_t character);   // of ASCII: Python's string.punctuation

std::u32string_view stripped(std::u32string_view text);                      // as Python's str.strip
std::vector<std::u32string> words_between_spaces(std::u32string_view text);  // as Python's str.split

// Characters of Chinese and Japanese, which are written without spaces: Han and kana.
bool is_cjk(char32_t character);

}  // namespace sft
