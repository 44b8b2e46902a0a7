// A label for each word, said by its first token: a linear head on every row. Where the labels are tags of entities
// (B-, I-, O), scores are of whole entities, as seqeval's.
#pragma once

#include <memory>

#include "trainer/tasks/blocks/logits_task.h"

namespace sft {

// predictions() gives for each row entities and tags by word (entity_rows.h) where samples bring their words, else
// {"tags": [one a word that has a target], "scores": [their probabilities]}; a target of −100 marks a token that speaks
// for no word.
std::unique_ptr<LogitsTask> make_token_classification(const TaskSettings& settings, const Model& model);

}  // namespace sft
