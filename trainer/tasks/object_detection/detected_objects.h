// What a picture's prediction is: boxes with a class and a score, as a line of JSON and as files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file_ops.h"
#include "base/schema.h"
#include "data/samples/batch.h"
#include "trainer/metrics/detection/coco_scores.h"
#include "trainer/tasks/blocks/picture_files.h"

namespace sft {

// The objects of sample b, in pixels of the original picture.
std::vector<TrueObject> true_objects(const Batch& batch, size_t b);

struct DetectedPicture {
  std::string image;                         // where the picture stands; "": not known
  int64_t height = 0, width = 0;             // of the original picture
  std::vector<DetectedObject> objects = {};  // in its pixels
  std::optional<std::vector<TrueObject>> reference = {};  // what is there, where that is known
};

// {"image", "height", "width", "objects": [{"label", "score", "box": [left, top, right, bottom]}], "reference":
// [{"label", "box"}]}, the best score first.
std::string to_json(const DetectedPicture& predicted, const StringList& names);

// Draws the boxes of predictions on their pictures, each class in a colour; over them a thin white line around what is
// there, where that is known.
DrawPrediction draw_boxes();

// Writes a PNG for each line of `predictions` into a directory, drawn so, as write_pictures() names it.
void write_drawn_boxes(const std::string& predictions, const std::string& directory, FileOps& files);

}  // namespace sft
