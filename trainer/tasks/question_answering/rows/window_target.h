// Where a window's answer is among its tokens.
#pragma once

#include <array>
#include <cstdint>

#include "data/readers/question.h"
#include "data/text/tokenizer.h"

namespace sft {

// The first and the last token that hold a character of the answer. Where the question has none, or the window does not
// hold all of it, both are token 0, <cls>.
std::array<int32_t, 2> target_of(const ContextWindow& window, const Question& question);

}  // namespace sft
