// B pictures, D tokens, K classes; M boxes that are matched with a token.
#include "trainer/tasks/object_detection/detection_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>

#include "trainer/models/blocks/sent.h"
#include "trainer/tasks/object_detection/box_geometry.h"
#include "trainer/tasks/object_detection/hungarian.h"

namespace sft {
namespace {

constexpr double kNoNumber = 1e9;  // the cost of a match that has none

// Left upper and right lower corners [M, 2] of boxes [M, 4].
struct CornersOf {
  explicit CornersOf(const at::Tensor& boxes_M4)
      : first_M2(boxes_M4.narrow(1, 0, 2) - 0.5 * boxes_M4.narrow(1, 2, 2)),
        last_M2(boxes_M4.narrow(1, 0, 2) + 0.5 * boxes_M4.narrow(1, 2, 2)) {}
  at::Tensor first_M2, last_M2;
};

at::Tensor area_between(const at::Tensor& first_M2, const at::Tensor& last_M2) {
  const at::Tensor sides_M2 = (last_M2 - first_M2).clamp_min(0);
  return sides_M2.select(1, 0) * sides_M2.select(1, 1);
}

// As generalized_iou(), of pairs.
at::Tensor paired_giou(const at::Tensor& a_M4, const at::Tensor& b_M4) {
  const CornersOf a(a_M4), b(b_M4);
  const at::Tensor common_M = area_between(at::maximum(a.first_M2, b.first_M2), at::minimum(a.last_M2, b.last_M2));
  const at::Tensor together_M = area_between(a.first_M2, a.last_M2) + area_between(b.first_M2, b.last_M2) - common_M;
  const at::Tensor around_M = area_between(at::minimum(a.first_M2, b.first_M2), at::maximum(a.last_M2, b.last_M2));
  return common_M / together_M - (around_M - together_M) / around_M;
}

std::vector<int64_t> match_one(const double* likely_DK, int64_t classes, const double* boxes_D4,
                               const std::vector<SeenBox>& boxes, const DetectionConfig& config) {
  const auto tokens = static_cast<size_t>(config.tokens);
  std::vector<double> cost;
  cost.reserve(boxes.size() * tokens);
  for (const SeenBox& wanted : boxes)
    for (size_t d = 0; d < tokens; ++d) {
      std::array<double, 4> given{};
      std::copy_n(boxes_D4 + 4 * d, 4, given.begin());
      double l1 = 0;
      for (size_t i = 0; i < 4; ++i) l1 += std::abs(given[i] - wanted.box[i]);
      const double likely = likely_DK[d * static_cast<size_t>(classes) + static_cast<size_t>(wanted.label)];
      const double all =
          config.box_cost * l1 - config.class_cost * likely - config.giou_cost * generalized_iou(given, wanted.box);
      cost.push_back(std::isfinite(all) ? all : kNoNumber);
    }
  return linear_sum_assignment(cost, std::ssize(boxes), config.tokens);
}

}  // namespace

std::vector<std::vector<int64_t>> match(const Detections& given, const PictureBoxes& boxes,
                                        const DetectionConfig& config) {
  const int64_t classes = given.logits_BDK.size(2);
  const at::Tensor both =  // in one copy
      at::cat({given.logits_BDK.detach().to(at::kDouble), given.boxes_BD4.detach().to(at::kDouble)}, 2).to(at::kCPU);
  const at::Tensor likely_BDK = at::softmax(both.narrow(2, 0, classes), -1).contiguous();
  const at::Tensor boxes_BD4 = both.narrow(2, classes, 4).contiguous();
  std::vector<std::vector<int64_t>> tokens;
  for (int64_t b = 0; b < std::ssize(boxes); ++b)
    tokens.push_back(match_one(likely_BDK.data_ptr<double>() + b * config.tokens * classes, classes,
                               boxes_BD4.data_ptr<double>() + b * config.tokens * 4, boxes[static_cast<size_t>(b)],
                               config));
  return tokens;
}

DetectionSums detection_sums(const Detections& given, const PictureBoxes& boxes, const DetectionConfig& config) {
  const int64_t classes = given.logits_BDK.size(2);  // K + 1
  const auto options = given.boxes_BD4.options();
  const std::vector<std::vector<int64_t>> tokens = match(given, boxes, config);
  std::vector<int64_t> labels(boxes.size() * static_cast<size_t>(config.tokens), classes - 1), rows;
  std::vector<double> wanted;
  for (size_t b = 0; b < boxes.size(); ++b)
    for (size_t i = 0; i < boxes[b].size(); ++i) {
      if (tokens[b][i] < 0) continue;
      rows.push_back(static_cast<int64_t>(b) * config.tokens + tokens[b][i]);
      labels[static_cast<size_t>(rows.back())] = boxes[b][i].label;
      wanted.insert(wanted.end(), boxes[b][i].box.begin(), boxes[b][i].box.end());
    }
  at::Tensor weights_K = at::ones({classes}, options);
  weights_K[classes - 1].fill_(config.no_object_weight);
  DetectionSums sums;
  sums.cross_entropy =
      at::cross_entropy_loss(given.logits_BDK.flatten(0, 1), sent(labels, options.device()), weights_K,
                             at::Reduction::Sum);
  const at::Tensor rows_M = sent(rows, options.device());
  const at::Tensor wanted_M4 = sent(at::tensor(wanted, at::kDouble), options).view({-1, 4});
  const at::Tensor found_M4 = given.boxes_BD4.flatten(0, 1).index_select(0, rows_M);
  sums.l1 = (found_M4 - wanted_M4).abs().sum();
  sums.giou = (1 - paired_giou(found_M4, wanted_M4)).sum();
  return sums;
}

DetectionWeights detection_weights(const PictureBoxes& boxes, const DetectionConfig& config) {
  DetectionWeights sum;
  for (const std::vector<SeenBox>& picture : boxes) {
    const int64_t matched = std::min<int64_t>(std::ssize(picture), config.tokens);
    sum.tokens += static_cast<double>(matched) + config.no_object_weight * static_cast<double>(config.tokens - matched);
    sum.boxes += static_cast<double>(picture.size());
  }
  return sum;
}

}  // namespace sft
