// COCO's scores against pycocotools: detection_reference.json, written by detection_reference.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "trainer/metrics/detection/coco_scores.h"

namespace sft {
namespace {

using nlohmann::json;

const json& detection_reference() {
  static const json content = json::parse(std::ifstream(DETECTION_REFERENCE));
  return content;
}

std::vector<TrueObject> objects_of(const json& picture) {
  std::vector<TrueObject> objects;
  for (const json& one : picture["objects"]) {
    const double area = one[2];
    objects.push_back({.box = one[3],
                       .label = one[0],
                       .is_crowd = one[1] == 1,
                       .is_small = area <= 1024,
                       .is_medium = area >= 1024 && area <= 9216,
                       .is_large = area >= 9216});
  }
  return objects;
}

std::vector<DetectedObject> found_on(const json& picture) {
  std::vector<DetectedObject> found;
  for (const json& one : picture["found"]) found.push_back({.box = one[2], .label = one[0], .score = one[1]});
  return found;
}

// What ranks hand on together, each of which has seen a range of the pictures. The last rank comes first.
struct Handed {
  std::vector<double> counts, rows;
};
Handed handed(const json& course, size_t ranks) {
  const json& pictures = course["pictures"];
  Handed all{std::vector<double>(coco::num_counts(course["classes"])), {}};
  for (size_t rank = ranks; rank-- > 0;) {
    std::vector<double> counts(all.counts.size());
    for (size_t i = rank * pictures.size() / ranks; i < (rank + 1) * pictures.size() / ranks; ++i)
      coco::add_picture(objects_of(pictures[i]), found_on(pictures[i]), static_cast<int64_t>(i), counts, all.rows);
    std::ranges::transform(counts, all.counts, all.counts.begin(), std::plus());
  }
  return all;
}

void expect_told(const nlohmann::ordered_json& found, const json& wanted, const std::string& what) {
  const bool is_none = found.is_null() || std::isnan(found.get<double>());
  ASSERT_EQ(is_none, wanted.is_null()) << what;
  if (is_none) return;
  EXPECT_NEAR(found.get<double>(), wanted.get<double>(), 1e-12) << what;
}

TEST(CocoScores, AreThoseOfPycocotoolsOnOneTwoAndThreeRanks) {
  ASSERT_GE(detection_reference().size(), 20u);
  for (const json& course : detection_reference()) {
    for (const size_t ranks : {1u, 2u, 3u}) {
      const auto [counts, rows] = handed(course, ranks);
      const auto scores = coco::scores(course["classes"], counts, rows);
      ASSERT_EQ(scores.size(), course["scores"].size());
      for (const auto& [name, wanted] : course["scores"].items())
        expect_told(scores.at(name), wanted, course["kind"].get<std::string>() + " " + name);
    }
  }
}

TEST(CocoScores, OfEachClassAreThoseOfPycocotools) {
  size_t compared = 0;
  for (const json& course : detection_reference()) {
    std::vector<std::string> names;
    for (int64_t k = 0; k < course["classes"]; ++k) names.push_back("class " + std::to_string(k));
    const auto [counts, rows] = handed(course, 2);
    const auto details = coco::details(names, counts, rows);
    for (size_t k = 0; k < names.size(); ++k) {
      const auto& found = details.at("per_class").at(names[k]);
      const json& wanted = course["by_class"][k];
      size_t place = 0;
      for (const char* name : {"ap", "ap_50", "ap_75", "ar_100"}) expect_told(found.at(name), wanted[place++], name);
      compared += wanted[0].is_null() ? 0u : 1u;
    }
  }
  EXPECT_GT(compared, 30u);
}

TEST(CocoScores, DoNotCountWhatIsIgnored) {
  const TrueObject seen{.box = {0, 0, 20, 20}, .is_small = true};
  TrueObject difficult{.box = {50, 50, 20, 20}, .is_ignored = true, .is_small = true};
  const std::vector<DetectedObject> found = {{difficult.box, 0, 0.9}, {seen.box, 0, 0.8}};
  for (const bool is_ignored : {true, false}) {
    difficult.is_ignored = is_ignored;
    std::vector<double> counts(coco::num_counts(1)), rows;
    coco::add_picture(std::vector{seen, difficult}, std::span(found).subspan(is_ignored ? 0 : 1), 0, counts, rows);
    EXPECT_EQ(counts[0], is_ignored ? 1 : 2);
    EXPECT_NEAR(coco::scores(1, counts, rows)["map"].get<double>(), is_ignored ? 1.0 : 51.0 / 101, 1e-12);
  }
}

}  // namespace
}  // namespace sft
