// Texts cut into the tokens whose n-grams BLEU counts, as by sacrebleu 2.6.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sft {

struct BleuTokenizer {
  std::string_view name;  // sacrebleu's: 13a | zh | char | none
  std::vector<std::u32string> (*tokens)(std::u32string_view text);
};

// `name`: one of those above.
//   13a: as mteval-v13a, for languages of Europe: punctuation apart, dots and commas not within numbers.
//   zh: each Chinese character apart, the rest as 13a, without its HTML entities.
//   char: each character but white space.
//   none: words between white space.
const BleuTokenizer& bleu_tokenizer(std::string_view name);

// The name for a language, such as "zh", "zh_CN" or "cmn_Hans": zh for Chinese, char for others that put no spaces
// between words, else 13a.
std::string_view bleu_tokenizer_of_language(std::string_view language);

}  // namespace sft
