// Questions that a text answers: a row is a question, a sample is a window of its context.
#pragma once

#include <memory>

#include "data/prepare/recipe.h"
#include "data/text/tokenizer.h"

namespace sft {

// Borrows config and tokenizer. Questions are read from data.text_column, contexts from data.text_pair_column
// ("context" where it is ""), answers from data.label_column, ids from "id". Windows are of data.max_length tokens,
// data.doc_stride of which stand in the window before too. Splits that are not trained on keep what scores and
// predictions need.
std::unique_ptr<Recipe> question_answering_recipe(const PrepareRequest& request, const DataConfig& config,
                                                  const Tokenizer* tokenizer);

}  // namespace sft
