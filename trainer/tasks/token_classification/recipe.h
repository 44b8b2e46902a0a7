// Words and their tags: a class for the tokens of each word.
#pragma once

#include <memory>

#include "data/prepare/recipe.h"
#include "data/text/tokenizer.h"

namespace sft {

// Borrows config and tokenizer. ConfigError where the config names columns of which no words can come.
std::unique_ptr<Recipe> token_classification_recipe(const PrepareRequest& request, const DataConfig& config,
                                                    const Tokenizer* tokenizer);

}  // namespace sft
