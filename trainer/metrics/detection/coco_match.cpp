#include "trainer/metrics/detection/coco_match.h"

#include <algorithm>
#include <cassert>

namespace sft::coco {
namespace {

double area(const PixelBox& box) { return box[2] * box[3]; }

// maskApi.c, bbIou: of a crowd, the share of the detection that lies in it.
double iou(const DetectedObject& detected, const TrueObject& object) {
  const PixelBox &d = detected.box, &g = object.box;
  const double width = std::min(d[2] + d[0], g[2] + g[0]) - std::max(d[0], g[0]);
  const double height = std::min(d[3] + d[1], g[3] + g[1]) - std::max(d[1], g[1]);
  if (!(width > 0) || !(height > 0)) return 0;
  const double both = width * height;
  return both / (object.is_crowd ? area(d) : area(d) + area(g) - both);
}

// COCO's ranges of areas; a border belongs to both sides.
bool is_within(double pixels, size_t size) {
  constexpr double kLeast[kSizes] = {0, 0, 32.0 * 32.0, 96.0 * 96.0};
  constexpr double kMost[kSizes] = {1e10, 32.0 * 32.0, 96.0 * 96.0, 1e10};
  return pixels >= kLeast[size] && pixels <= kMost[size];
}

using Outcomes = std::vector<std::array<Outcome, kSizes>>;

// [detections][objects].
using Ious = std::vector<std::vector<double>>;

void match_size(std::span<const TrueObject> truth, std::span<const DetectedObject> detected, const Ious& ious,
                size_t size, Outcomes& outcomes) {
  std::vector<size_t> order;  // objects that are scored first
  for (const bool ignored : {false, true})
    for (size_t g = 0; g < truth.size(); ++g)
      if (is_ignored(truth[g], size) == ignored) order.push_back(g);
  const std::array<double, kThresholds> wanted = thresholds();
  for (size_t t = 0; t < kThresholds; ++t) {
    std::vector<bool> is_taken(truth.size());
    for (size_t d = 0; d < detected.size(); ++d) {
      double best = std::min(wanted[t], 1 - 1e-10);
      size_t found = SIZE_MAX;
      for (const size_t g : order) {
        if (is_taken[g] && !truth[g].is_crowd) continue;
        if (found != SIZE_MAX && !is_ignored(truth[found], size) && is_ignored(truth[g], size)) break;
        if (ious[d][g] < best) continue;
        best = ious[d][g];
        found = g;
      }
      Outcome& outcome = outcomes[d][size];
      const uint32_t bit = uint32_t{1} << t;
      if (found == SIZE_MAX) {
        if (!is_within(area(detected[d].box), size)) outcome.ignored |= bit;
        continue;
      }
      is_taken[found] = true;
      outcome.hits |= bit;
      if (is_ignored(truth[found], size)) outcome.ignored |= bit;
    }
  }
}

}  // namespace

std::array<double, kThresholds> thresholds() {
  std::array<double, kThresholds> all{};
  const double step = (0.95 - 0.5) / (kThresholds - 1);
  for (size_t t = 0; t < kThresholds; ++t) all[t] = static_cast<double>(t) * step + 0.5;
  all.back() = 0.95;
  return all;
}

bool is_ignored(const TrueObject& object, size_t size) {
  const bool is_of_size[kSizes] = {true, object.is_small, object.is_medium, object.is_large};
  return object.is_crowd || object.is_ignored || !is_of_size[size];
}

Outcomes match(std::span<const TrueObject> truth, std::span<const DetectedObject> detected) {
  assert(detected.size() <= kMostDetections);
  Ious ious;
  for (const DetectedObject& detection : detected) {
    ious.emplace_back();
    for (const TrueObject& object : truth) ious.back().push_back(iou(detection, object));
  }
  Outcomes outcomes(detected.size());
  for (size_t size = 0; size < kSizes; ++size) match_size(truth, detected, ious, size, outcomes);
  return outcomes;
}

}  // namespace sft::coco
