// Validation rows that a model is surely wrong about, for people who look them up.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "trainer/assembly/assemble.h"

namespace sft {

// None of tasks whose targets are no labels.
Evaluator::MistakeSettings mistake_settings(const Assembly& run);

// Takes away from each of details["mistakes"] what only add_places() can be sure of: the number of a word.
void leave_out_unsure_words(nlohmann::ordered_json& details);

// Adds to each of details["mistakes"] where its row stands and how its text begins, "place" and "text", or its picture,
// "image". Files that are gone by now cost these, not the run.
void add_places(const Assembly& run, nlohmann::ordered_json& details);

}  // namespace sft
