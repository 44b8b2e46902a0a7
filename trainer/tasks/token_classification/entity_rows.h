// Predicted tags put back on the words of a row: entities with their places in the text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "data/samples/batch.h"
#include "trainer/metrics/entities.h"

namespace sft {

// Whether samples bring the notes "text" and "words" (trainer/tasks/recipes/tagged_words.h).
bool has_words(const Schema& schema);

// Of sample b, whose words with a token have these tags and scores: {"entities": [{"type", "start", "end", "text",
// "score"}], "tags": [one a word]}. `tags` are ids of the model's `names`, which `tagging` reads: what is an entity does
// not hang on which of them a row has. `start` and `end` count characters of the text; `score` is the least of the
// entity's words. A word that truncation cut off, or that has no token, has the tag null.
nlohmann::ordered_json entity_row(const Batch& batch, size_t b, const Tagging& tagging,
                                  const std::vector<std::string>& names, const std::vector<int64_t>& tags,
                                  const std::vector<double>& scores);

}  // namespace sft
