// The scores of a tagger under the names that people log them by.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "trainer/metrics/entities.h"

namespace sft {

// precision, recall and f1 (micro, as seqeval's and run_ner's), f1_macro, f1_weighted.
nlohmann::ordered_json entity_scores(const EntityScores& scores);

// {"per_type": {type: {precision, recall, f1, support}}, "micro", "macro", "weighted", "strict_micro"}.
nlohmann::ordered_json entity_details(const EntityScores& scores, const EntityScores& strict,
                                      const std::vector<std::string>& types);

}  // namespace sft
