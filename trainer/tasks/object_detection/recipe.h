// Pictures in squares of one size, and the boxes of what is on them. Decoding and resizing happen here, once; what
// changes from draw to draw happens when a batch is read (data/loading/augment.h).
#pragma once

#include <memory>

#include "data/prepare/recipe.h"
#include "data/text/tokenizer.h"

namespace sft {

// Borrows config. Names of classes are those of data.class_names, else those that the files list (COCO's categories,
// YOLO's names), else the model's where they cover all that occur, else all that occur, in byte order.
std::unique_ptr<Recipe> object_detection_recipe(const PrepareRequest& request, const DataConfig& config,
                                                const Tokenizer* tokenizer);

}  // namespace sft
