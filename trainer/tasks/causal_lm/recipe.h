// Chats, instructions with their answers and plain texts, as tokens of which some are learned.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/prepare/recipe.h"
#include "data/text/tokenizer.h"

namespace sft {

// Borrows config and tokenizer. The form of the rows is told by the columns of the first one (rows/row_form.h), columns
// of samples are those of rows/columns.h. Chat template, stop tokens, positions and the size of the vocabulary are
// found in the tokenizer's directory.
std::unique_ptr<Recipe> causal_lm_recipe(const PrepareRequest& request, const DataConfig& config,
                                         const Tokenizer* tokenizer);

// Ids at which a model that learns from such rows may stop: the model's own, and those that end what is trained.
std::vector<int32_t> causal_lm_stop_tokens(const DataConfig& config, const Tokenizer& tokenizer);

}  // namespace sft
