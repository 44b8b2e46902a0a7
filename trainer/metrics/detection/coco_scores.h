// The scores of COCO's detection challenge, equal to pycocotools'. A picture is matched whole, where it is seen; what
// ranks hand on is a few numbers a detection, and counts.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

namespace sft {

using PixelBox = std::array<double, 4>;  // left, top, width, height

struct DetectedObject {
  PixelBox box = {};
  int64_t label = 0;
  double score = 0;
};

struct TrueObject {
  PixelBox box = {};
  int64_t label = 0;
  bool is_crowd = false;    // takes any number of detections that lie in it, and none of them is scored
  bool is_ignored = false;  // likewise of one detection
  bool is_small = false, is_medium = false, is_large = false;
};

namespace coco {

// How many counts there are: of each class, its objects that are scored, of all sizes, small, medium and large.
size_t num_counts(int64_t num_classes);

// Adds a picture. `picture` is its place among all, which orders detections of one score. Of each class the 100 best
// detections are looked at.
void add_picture(std::span<const TrueObject> truth, std::span<const DetectedObject> detected, int64_t picture,
                 std::span<double> counts, std::vector<double>& rows);

// By torchmetrics' names: map (of IoU 0.5, 0.55 … 0.95), map_50, map_75, map_small, map_medium, map_large, mar_1,
// mar_10, mar_100, mar_small, mar_medium, mar_large. NaN where no object is of that kind (pycocotools has −1).
nlohmann::ordered_json scores(int64_t num_classes, std::span<const double> counts, std::span<const double> rows);

// {"per_class": {name: {"ap", "ap_50", "ap_75", "ar_100", "support"}}}; null where a class has no object.
nlohmann::ordered_json details(const std::vector<std::string>& names, std::span<const double> counts,
                               std::span<const double> rows);

}  // namespace coco
}  // namespace sft
