// Texts, alone or in pairs, and what each is to be mapped to.
#pragma once

#include <memory>

#include "data/prepare/recipe.h"
#include "data/text/tokenizer.h"

namespace sft {

// Borrows config and tokenizer. Where request.problem_type is "", the first row in the order of the files that can be
// meant in one way only tells it: a name is one label; a list with a name in it is a set of labels; a number with a
// fraction, alone or in a list, is a real number. Where there are only whole numbers, lists are sets of labels, and
// single ones are labels.
std::unique_ptr<Recipe> text_classification_recipe(const PrepareRequest& request, const DataConfig& config,
                                                   const Tokenizer* tokenizer);

}  // namespace sft
