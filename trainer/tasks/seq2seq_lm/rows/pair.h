// A row read: a text, and the text that is to be written of it.
#pragma once

#include <string>

#include "data/prepare/pair_config.h"
#include "data/readers/row.h"

namespace sft::seq2seq {

struct Pair {
  const Row* row = nullptr;
  std::string source = {}, target = {};
  float weight = 1.0f;
};

// From two columns, or from {"translation": {"en": …, "zh": …}} where the row has no column of the source. `answers`: a
// target must be there, and not be empty. BadRow naming row and column, or language.
Pair read_pair(const Row& row, const PairConfig& config, bool answers);

}  // namespace sft::seq2seq
