// One class on one picture: which detections hit which objects, as pycocotools' COCOeval.evaluateImg finds them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/metrics/detection/coco_scores.h"

namespace sft::coco {

inline constexpr size_t kThresholds = 10;       // of IoU: 0.5, 0.55 … 0.95
inline constexpr size_t kSizes = 4;             // all, small, medium, large
inline constexpr size_t kMostDetections = 100;  // that are looked at

// As numpy.linspace spells them.
std::array<double, kThresholds> thresholds();

// Of a detection among objects of one size: bit t of `hits` where it hits at threshold t, of `ignored` where it is
// neither right nor wrong there.
struct Outcome {
  uint32_t hits = 0, ignored = 0;
};

// `detected` from the best score down, at most kMostDetections. Of each its outcomes, by size.
std::vector<std::array<Outcome, kSizes>> match(std::span<const TrueObject> truth,
                                               std::span<const DetectedObject> detected);

// Whether an object is not scored among those of a size.
bool is_ignored(const TrueObject& object, size_t size);

}  // namespace sft::coco
