// The loss of YOLOS and DETR (Carion et al., 2020, section 3.1): each box of a picture is matched with one token, and
// tokens without a box learn "no object".
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "trainer/tasks/object_detection/detection_config.h"
#include "trainer/tasks/object_detection/detection_head.h"
#include "trainer/tasks/object_detection/rows/seen_boxes.h"

namespace sft {

// The boxes of each picture of a batch that are learned.
using PictureBoxes = std::vector<std::vector<SeenBox>>;

// For each picture and each of its boxes the token that it is matched with, −1 where there are more boxes than tokens:
// least in class_cost · (−probability of the box's class) + bbox_cost · L1 + giou_cost · (−GIoU), in double on the
// host. A cost that is no number is more than any other.
std::vector<std::vector<int64_t>> match(const Detections& given, const PictureBoxes& boxes,
                                        const DetectionConfig& config);

// Sums over all tokens, and over boxes that have a token; scalars with a graph.
struct DetectionSums {
  at::Tensor cross_entropy;  // of tokens, "no object" weighted
  at::Tensor l1, giou;       // Σ |box − its token's box|, Σ 1 − GIoU
};
DetectionSums detection_sums(const Detections& given, const PictureBoxes& boxes, const DetectionConfig& config);

// What they are divided by, which follows from the number of boxes alone: Σ of the tokens' weights in the
// cross-entropy, and the number of boxes.
struct DetectionWeights {
  double tokens = 0, boxes = 0;
};
DetectionWeights detection_weights(const PictureBoxes& boxes, const DetectionConfig& config);

}  // namespace sft
