// What a picture's prediction is: boxes with a class and a score, as a line of JSON and as files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_ops.h"
#include "base/schema.h"
#include "data/samples/batch.h"
#include "trainer/metrics/detection/coco_scores.h"

namespace sft {

// The objects of sample b, in pixels of the original picture.
std::vector<TrueObject> true_objects(const Batch& batch, size_t b);

struct DetectedPicture {
  std::string image;                         // where the picture stands; "": not known
  int64_t height = 0, width = 0;             // of the original picture
  std::vector<DetectedObject> objects = {};  // in its pixels
};

// {"image", "height", "width", "objects": [{"label", "score", "box": [left, top, right, bottom]}]}, the best score
// first.
std::string to_json(const DetectedPicture& predicted, const StringList& names);

// Writes a PNG for each line of `predictions` into a directory: its picture with the boxes drawn on it, as
// write_pictures() names it. ConfigError where a prediction has no picture in a file.
void write_drawn_boxes(const std::string& predictions, const std::string& directory, FileOps& files);

}  // namespace sft
