// Answers to a case's prompts, for a Python script to compare with transformers' generate().
#pragma once

#include <nlohmann/json.hpp>

#include "trainer/learner/learner.h"

namespace sft::parity {

// The case has prompts (a list of tokens each), generate (settings by transformers' names) and at_once, how many
// sequences run together. Returns of each prompt the "tokens" that follow, and whether a token ended them ("stopped").
nlohmann::json answers(Learner& learner, const nlohmann::json& test);

}  // namespace sft::parity
