// Settings of [data] that only models read which make a text of a text: where a row has its source and its target.
#pragma once

#include <cstdint>
#include <string>

#include "base/schema.h"

namespace sft {

struct PairConfig {
  std::string source_column = "source";
  std::string target_column = "target";
  std::string source_lang;
  std::string target_lang;
  std::string source_prefix;
  int64_t max_target_length = 0;

  static constexpr auto fields() {
    return std::tuple{
        field("source_column", &PairConfig::source_column, "of pairs: column of the text that is read"),
        field("target_column", &PairConfig::target_column, "of pairs: column of the text that is to be written"),
        field("source_lang", &PairConfig::source_lang,
              "of pairs: language of the source, such as en, in a row like {\"translation\": {\"en\": …, \"zh\": …}}"),
        field("target_lang", &PairConfig::target_lang,
              "of pairs: language of the target; it also says how BLEU cuts texts, where eval.bleu_tokenize does not"),
        field("source_prefix", &PairConfig::source_prefix,
              "of pairs: put in front of each source, such as \"translate English to Chinese: \" or \">>cmn_Hans<< \""),
        field("max_target_length", &PairConfig::max_target_length,
              "of pairs: tokens of a target, its end included; 0: as max_length", at_least(int64_t{0}))};
  }
};

}  // namespace sft
