// Entities and their scores against seqeval: entities_reference.json, written by entities_reference.py.
#include "trainer/metrics/entities.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/trainer/metrics/expected_scores.h"
#include "trainer/metrics/entity_report.h"

namespace sft {
namespace {

using nlohmann::json;

const json& entities_reference() {
  static const json content = json::parse(std::ifstream(ENTITIES_REFERENCE));
  return content;
}

std::vector<int64_t> ids_of(const json& tags, const std::vector<std::string>& names) {
  std::vector<int64_t> ids;
  for (const std::string name : tags) ids.push_back(std::find(names.begin(), names.end(), name) - names.begin());
  return ids;
}

TEST(Tagging, FindsTheEntitiesOfSeqevalInWhateverIsBroken) {
  size_t compared = 0;
  for (const json& course : entities_reference()) {
    const auto names = course["names"].get<std::vector<std::string>>();
    const Tagging tagging(names);
    for (size_t i = 0; i < course["truth"].size(); ++i) {
      json found = json::array();
      for (const Entity& entity : tagging.entities(ids_of(course["truth"][i], names)))
        found.push_back({tagging.types()[static_cast<size_t>(entity.type)], entity.first, entity.end - 1});
      ASSERT_EQ(found, course["entities"][i]) << course["truth"][i];
      compared += found.size();
    }
  }
  EXPECT_GT(compared, 1000u);
}

TEST(EntityScores, AreThoseOfSeqevalOnRandomAndDegenerateTags) {
  ASSERT_GT(entities_reference().size(), 40u);
  for (const json& course : entities_reference()) {
    const auto names = course["names"].get<std::vector<std::string>>();
    const Tagging tagging(names);
    std::vector<double> counts(EntityCounts::size(tagging.types().size())), strict = counts;
    for (size_t i = 0; i < course["truth"].size(); ++i) {
      const auto truth = ids_of(course["truth"][i], names), guesses = ids_of(course["guesses"][i], names);
      EntityCounts::add(counts, tagging.entities(truth), tagging.entities(guesses));
      EntityCounts::add(strict, tagging.strict_entities(truth), tagging.strict_entities(guesses));
    }
    const EntityScores scores(counts);
    const std::string kind = course["kind"];
    expect_scores(scores.micro(), course["micro"], kind + ", micro");
    expect_scores(scores.macro(), course["macro"], kind + ", macro");
    expect_scores(scores.weighted(), course["weighted"], kind + ", weighted");
    if (course.contains("strict")) expect_scores(EntityScores(strict).micro(), course["strict"], kind + ", strict");
  }
}

TEST(Tagging, TellsTagsOfEntitiesFromOthers) {
  EXPECT_TRUE(Tagging({"O", "B-PER", "I-PER"}).marks_entities());
  EXPECT_TRUE(Tagging({"O", "B", "I"}).marks_entities());
  EXPECT_FALSE(Tagging({"NOUN", "VERB", "INTJ", "SCONJ"}).marks_entities());
  EXPECT_EQ(Tagging({"B-LOC", "I-LOC", "I-PER", "O"}).types(), (std::vector<std::string>{"LOC", "PER"}));
}

TEST(EntityReport, NamesScoresInTheOrderInWhichTheyArePrinted) {
  const std::vector<double> counts = {3, 4, 6};
  const auto scores = entity_scores(EntityScores(counts));
  std::vector<std::string> names;
  for (const auto& [name, value] : scores.items()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"f1", "precision", "recall", "f1_macro", "f1_weighted"}));
  EXPECT_DOUBLE_EQ(scores["precision"].get<double>(), 0.75);
  EXPECT_DOUBLE_EQ(scores["recall"].get<double>(), 0.5);
  const auto details = entity_details(EntityScores(counts), EntityScores(counts), {"PER"});
  EXPECT_EQ(details["per_type"]["PER"]["support"], 6);
}

}  // namespace
}  // namespace sft
