// COCOeval.accumulate and summarize of pycocotools 2.0.11.
#include "trainer/metrics/detection/coco_scores.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "trainer/metrics/detection/coco_match.h"
#include "trainer/metrics/mean.h"

namespace sft::coco {
namespace {

// The numbers of a detection in Statistics::rows: hits · 1024 + ignored of each size behind the others.
enum : size_t { kClass, kScore, kPicture, kRank, kOutcomes, kNumbers = kOutcomes + kSizes };
constexpr double kShift = 1 << kThresholds;

constexpr size_t kRecalls = 101;                        // 0, 0.01 … 1, at which precisions are read
constexpr size_t kLimits[] = {1, 10, kMostDetections};  // detections a picture

struct Ranked {
  double score, picture, rank;
  std::array<Outcome, kSizes> outcomes;
};

// What is found of one class.
struct OfClass {
  std::array<double, kSizes> objects = {};                                  // that are scored
  std::array<std::array<double, kThresholds>, kSizes> precisions = {};      // means over the recalls
  std::array<std::array<double, std::size(kLimits)>, kSizes> recalls = {};  // sums over thresholds
};

// Of detections in the order of their scores. The precision at a recall is the best one at that recall or above.
double mean_precision(const std::vector<Ranked>& ranked, size_t size, size_t threshold, double objects) {
  const uint32_t bit = uint32_t{1} << threshold;
  std::vector<double> recalls, precisions;
  double right = 0, wrong = 0;
  for (const Ranked& one : ranked) {
    const Outcome& outcome = one.outcomes[size];
    if ((outcome.ignored & bit) == 0) ((outcome.hits & bit) != 0 ? right : wrong) += 1;
    recalls.push_back(right / objects);
    precisions.push_back(right / (wrong + right + std::numeric_limits<double>::epsilon()));
  }
  for (size_t i = precisions.size(); i-- > 1;) precisions[i - 1] = std::max(precisions[i - 1], precisions[i]);
  double sum = 0;
  for (size_t r = 0; r < kRecalls; ++r) {
    const double recall = r + 1 == kRecalls ? 1.0 : static_cast<double>(r) * 0.01;
    const auto place = static_cast<size_t>(std::ranges::lower_bound(recalls, recall) - recalls.begin());
    if (place < precisions.size()) sum += precisions[place];
  }
  return sum / kRecalls;
}

double recall_of(const std::vector<Ranked>& ranked, size_t size, size_t threshold, size_t limit, double objects) {
  const uint32_t bit = uint32_t{1} << threshold;
  double right = 0;
  for (const Ranked& one : ranked) {
    const Outcome& outcome = one.outcomes[size];
    if (one.rank < static_cast<double>(limit) && (outcome.hits & bit) != 0 && (outcome.ignored & bit) == 0) right += 1;
  }
  return right / objects;
}

std::vector<OfClass> of_classes(int64_t num_classes, std::span<const double> counts, std::span<const double> rows) {
  assert(counts.size() == num_counts(num_classes) && rows.size() % kNumbers == 0);
  std::vector<std::vector<Ranked>> ranked(static_cast<size_t>(num_classes));
  for (size_t i = 0; i < rows.size(); i += kNumbers) {
    Ranked one{.score = rows[i + kScore], .picture = rows[i + kPicture], .rank = rows[i + kRank], .outcomes = {}};
    for (size_t size = 0; size < kSizes; ++size) {
      const auto bits = static_cast<uint32_t>(rows[i + kOutcomes + size]);
      one.outcomes[size] = {bits >> kThresholds, bits & ((uint32_t{1} << kThresholds) - 1)};
    }
    ranked[static_cast<size_t>(rows[i + kClass])].push_back(one);
  }
  std::vector<OfClass> found(ranked.size());
  for (size_t k = 0; k < found.size(); ++k) {
    std::ranges::sort(ranked[k], {}, [](const Ranked& one) { return std::tuple(-one.score, one.picture, one.rank); });
    for (size_t size = 0; size < kSizes; ++size) {
      const double objects = found[k].objects[size] = counts[k * kSizes + size];
      if (objects == 0) continue;
      for (size_t t = 0; t < kThresholds; ++t) {
        found[k].precisions[size][t] = mean_precision(ranked[k], size, t, objects);
        for (size_t m = 0; m < std::size(kLimits); ++m)
          found[k].recalls[size][m] += recall_of(ranked[k], size, t, kLimits[m], objects);
      }
    }
  }
  return found;
}

// A mean over the classes that have objects of that size.
template <class Of>
double mean_over(std::span<const OfClass> classes, size_t size, Of of) {
  double sum = 0, count = 0;
  for (const OfClass& one : classes)
    if (one.objects[size] > 0) sum += of(one), count += 1;
  return mean_of(sum, count);
}

double precision(std::span<const OfClass> classes, size_t size) {
  return mean_over(classes, size, [size](const OfClass& one) {
    double sum = 0;
    for (const double at_threshold : one.precisions[size]) sum += at_threshold;
    return sum / kThresholds;
  });
}

double precision_at(std::span<const OfClass> classes, size_t threshold) {
  return mean_over(classes, 0, [threshold](const OfClass& one) { return one.precisions[0][threshold]; });
}

double recall(std::span<const OfClass> classes, size_t size, size_t limit) {
  return mean_over(classes, size, [=](const OfClass& one) { return one.recalls[size][limit] / kThresholds; });
}

// A number, or null.
nlohmann::ordered_json told(double value) {
  return std::isnan(value) ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
}

}  // namespace

size_t num_counts(int64_t num_classes) { return static_cast<size_t>(num_classes) * kSizes; }

void add_picture(std::span<const TrueObject> truth, std::span<const DetectedObject> detected, int64_t picture,
                 std::span<double> counts, std::vector<double>& rows) {
  std::vector<std::vector<TrueObject>> objects(counts.size() / kSizes);
  std::vector<std::vector<DetectedObject>> detections(objects.size());
  for (const TrueObject& object : truth) {
    objects[static_cast<size_t>(object.label)].push_back(object);
    for (size_t size = 0; size < kSizes; ++size)
      if (!is_ignored(object, size)) counts[static_cast<size_t>(object.label) * kSizes + size] += 1;
  }
  for (const DetectedObject& detection : detected)
    detections[static_cast<size_t>(detection.label)].push_back(detection);
  for (size_t k = 0; k < detections.size(); ++k) {
    std::vector<DetectedObject>& best = detections[k];
    std::ranges::stable_sort(best, std::ranges::greater(), &DetectedObject::score);
    if (best.size() > kMostDetections) best.resize(kMostDetections);
    const auto outcomes = match(objects[k], best);
    for (size_t d = 0; d < best.size(); ++d) {
      rows.insert(rows.end(),
                  {static_cast<double>(k), best[d].score, static_cast<double>(picture), static_cast<double>(d)});
      for (const Outcome& outcome : outcomes[d]) rows.push_back(outcome.hits * kShift + outcome.ignored);
    }
  }
}

nlohmann::ordered_json scores(int64_t num_classes, std::span<const double> counts, std::span<const double> rows) {
  const std::vector<OfClass> classes = of_classes(num_classes, counts, rows);
  constexpr size_t kFifty = 0, kSeventyFive = 5, kLast = std::size(kLimits) - 1;
  return {{"map", precision(classes, 0)},
          {"map_50", precision_at(classes, kFifty)},
          {"map_75", precision_at(classes, kSeventyFive)},
          {"map_small", precision(classes, 1)},
          {"map_medium", precision(classes, 2)},
          {"map_large", precision(classes, 3)},
          {"mar_1", recall(classes, 0, 0)},
          {"mar_10", recall(classes, 0, 1)},
          {"mar_100", recall(classes, 0, kLast)},
          {"mar_small", recall(classes, 1, kLast)},
          {"mar_medium", recall(classes, 2, kLast)},
          {"mar_large", recall(classes, 3, kLast)}};
}

nlohmann::ordered_json details(const std::vector<std::string>& names, std::span<const double> counts,
                               std::span<const double> rows) {
  const std::vector<OfClass> classes = of_classes(std::ssize(names), counts, rows);
  nlohmann::ordered_json per_class = nlohmann::ordered_json::object();
  for (size_t k = 0; k < names.size(); ++k) {
    const std::span<const OfClass> one(&classes[k], 1);
    per_class[names[k]] = {{"ap", told(precision(one, 0))},
                           {"ap_50", told(precision_at(one, 0))},
                           {"ap_75", told(precision_at(one, 5))},
                           {"ar_100", told(recall(one, 0, std::size(kLimits) - 1))},
                           {"support", classes[k].objects[0]}};
  }
  return {{"per_class", std::move(per_class)}};
}

}  // namespace sft::coco
