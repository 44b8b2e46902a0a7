// Texts and what is to be written of each, such as sentences and their translations, as tokens of both.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/prepare/recipe.h"
#include "data/text/tokenizer.h"

namespace sft {

// Borrows config and tokenizer, which cuts the sources; targets are cut by Tokenizer::of_targets where there is one.
// Rows are those of rows/pair.h, columns those of rows/columns.h. Positions and vocabularies of the model are found in
// the tokenizer's directory.
std::unique_ptr<Recipe> seq2seq_lm_recipe(const PrepareRequest& request, const DataConfig& config,
                                          const Tokenizer* tokenizer);

// Ids at which a model that learns from such rows stops: its own, and the one that ends targets.
std::vector<int32_t> seq2seq_lm_stop_tokens(const DataConfig& config, const Tokenizer& tokenizer);

}  // namespace sft
