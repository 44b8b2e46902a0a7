// Pictures of one size, and a class for each. Decoding and resizing happen here, once; what changes from draw to draw
// happens when a batch is read (data/loading/augment.h).
#pragma once

#include <memory>

#include "data/prepare/recipe.h"
#include "data/text/tokenizer.h"

namespace sft {

// Borrows config. Labels that are ids without names take the model's names (request.label_names) only where it has just
// as many. Without data.image_size all pictures must be as the first good one.
std::unique_ptr<Recipe> image_classification_recipe(const PrepareRequest& request, const DataConfig& config,
                                                    const Tokenizer* tokenizer);

}  // namespace sft
