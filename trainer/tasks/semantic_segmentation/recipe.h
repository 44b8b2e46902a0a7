// Pictures of one size, and a class for each pixel. Decoding and resizing happen here, once, of masks by choosing the
// nearest pixel; what changes from draw to draw happens when a batch is read (data/loading/augment.h).
#pragma once

#include <memory>

#include "data/prepare/recipe.h"
#include "data/text/tokenizer.h"

namespace sft {

// Borrows config. Names of classes are those of data.class_names, else the lines of a classes.txt beside the files,
// else the model's where it has just as many as the masks show, else LABEL_0, LABEL_1, ….
std::unique_ptr<Recipe> semantic_segmentation_recipe(const PrepareRequest& request, const DataConfig& config,
                                                     const Tokenizer* tokenizer);

}  // namespace sft
