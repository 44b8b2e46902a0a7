// What a directory of tokenizer files makes of a few texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/text/tokenizer.h"
#include "fuzz/input.h"

namespace sft::fuzz {

inline void expect_ids_of(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  for (const int32_t id : ids)
    if (id < 0 || id >= tokenizer.vocab_size()) __builtin_trap();
  tokenizer.decode(ids);
}

inline void cut_texts(const std::string& directory) {
  const std::vector<std::string_view> texts = {"", "good day, the [SEP] word",
                                               "\xe4\xb8\xad e\xcc\x81 \xf0\x9f\x98\x80\n\tab"};
  allow_errors([&] {
    const auto tokenizer = Tokenizer::from_directory(directory);
    for (const Encoding& encoding : tokenizer->encode_whole(texts)) expect_ids_of(*tokenizer, encoding.ids);
    allow_errors([&] { tokenizer->set_truncation(6, "right"); });
    for (const std::string_view text : texts) {
      allow_errors([&] { expect_ids_of(*tokenizer, tokenizer->encode_pair(text, "day").ids); });
      allow_errors([&] { expect_ids_of(*tokenizer, tokenizer->encode(text).ids); });
    }
    allow_errors([&] { tokenizer->encode_words({{"good", "", "day"}}); });
    allow_errors([&] { tokenizer->encode_placed(texts); });
    allow_errors([&] { tokenizer->encode_windows(texts, texts, {.max_length = 12, .stride = 2}); });
    tokenizer->to_json();
  });
}

}  // namespace sft::fuzz
