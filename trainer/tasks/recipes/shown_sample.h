// Samples for people to look at: tokens as text, and what of them is learned.
#pragma once

#include <cstdint>
#include <string>

#include "data/samples/dataset.h"
#include "data/text/tokenizer.h"

namespace sft {

// Sample i in some lines: its row, how many tokens it has, and its text with special tokens by their names and ⏎ for a
// line break. Where spans of tokens are trained, how many and which: green with `colour`, else between [[ and ]]. Where
// another text is trained, that one in the same way behind an arrow. Else the target as it is, labels by their names.
// `of_targets` spells the other text; it may be `tokenizer`.
std::string shown_sample(const Dataset& dataset, int64_t i, const Tokenizer& tokenizer, const Tokenizer& of_targets,
                         bool colour);

}  // namespace sft
