// What a language model said to rows of the test file, beside their own answers.
#pragma once

#include <string>

#include "trainer/report/run_record.h"

namespace sft {

// The rows of predictions.jsonl that were answered: those whose own answers surprised the model least, and those that
// surprised it most. "" where there are none. Never throws.
std::string answer_tables(const RunRecord& record);

}  // namespace sft
