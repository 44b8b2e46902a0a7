// What a picture's prediction is: a class for each of its pixels, as a line of JSON and as files.
#pragma once

#include <string>

#include "base/file_ops.h"
#include "base/schema.h"
#include "data/images/mask.h"
#include "trainer/tasks/blocks/picture_files.h"

namespace sft {

struct PredictedMask {
  std::string image;  // where the picture stands; "": not known
  Mask mask;
};

// {"image", "height", "width", "labels": {name: share of the pixels, the largest first}, "runs": [class, pixels, …]},
// the runs row by row from the upper left corner.
std::string to_json(const PredictedMask& predicted, const StringList& names);
PredictedMask predicted_mask(const std::string& json);  // throws the JSON library's errors

// Draws overlays: half the picture, half the colour that VOC's palette has for each pixel's class.
DrawPrediction draw_overlays();

// Write a PNG for each line of `predictions` into a directory, called after its picture; those of one name in several
// folders have their line behind it. Masks have VOC's palette.
void write_masks(const std::string& predictions, const std::string& directory, FileOps& files);
void write_overlays(const std::string& predictions, const std::string& directory, FileOps& files);

}  // namespace sft
