// Sources and their targets, as tokens of two columns.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/prepare/recipe.h"
#include "data/text/tokenizer.h"

namespace sft {

// Borrows config and tokenizer.
std::unique_ptr<Recipe> seq2seq_lm_recipe(const PrepareRequest& request, const DataConfig& config,
                                          const Tokenizer* tokenizer);

// Ids at which a model that learns from such rows stops.
std::vector<int32_t> seq2seq_lm_stop_tokens(const DataConfig& config, const Tokenizer& tokenizer);

}  // namespace sft
