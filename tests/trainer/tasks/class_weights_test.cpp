// Balanced weights against scikit-learn: reference.json, written by reference.py.
#include "trainer/tasks/blocks/class_weights.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace sft {
namespace {

const std::vector<std::string> kPackageNames = {"admin", "games", "web"};

WordOrNumbers given(std::map<std::string, double> weights) { return {"", std::move(weights)}; }

std::string refusal(const WordOrNumbers& wanted) {
  try {
    class_weights(wanted, kPackageNames, {});
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ClassWeights, AreScikitLearnsWhenBalancedAndOneForAClassThatDoesNotOccur) {
  const auto reference = nlohmann::json::parse(std::ifstream(REFERENCE));
  for (const auto& wanted : reference["balanced"]) {
    const auto counts = wanted["counts"].get<std::vector<int64_t>>();
    std::vector<std::string> names;
    for (size_t id = 0; id < counts.size(); ++id) names.push_back("label" + std::to_string(id));
    const auto weights = class_weights({"balanced", {}}, names, counts);
    std::vector<double> expected(counts.size(), 1.0);
    for (size_t i = 0; i < wanted["present"].size(); ++i) expected[wanted["present"][i]] = wanted["weights"][i];
    ASSERT_EQ(weights.size(), expected.size());
    for (size_t id = 0; id < expected.size(); ++id) EXPECT_NEAR(weights[id], expected[id], 1e-14) << wanted;
  }
}

TEST(ClassWeights, AreOneWhereNoneAreNamed) {
  EXPECT_EQ(class_weights({}, kPackageNames, {}), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(class_weights(given({{"games", 0.25}}), kPackageNames, {}), (std::vector<double>{1, 0.25, 1}));
}

TEST(ClassWeights, RefuseANameThatIsNoLabelAndNameTheNearest) {
  const std::string message = refusal(given({{"gmaes", 2.0}}));
  EXPECT_NE(message.find("train.class_weights: 'gmaes' is no label"), std::string::npos) << message;
  EXPECT_NE(message.find("'games'"), std::string::npos) << message;
}

TEST(ClassWeights, RefuseWhatIsNoWeight) {
  EXPECT_NE(refusal(given({{"web", -1.0}})).find("'web' is -1"), std::string::npos);
  EXPECT_NE(refusal(given({{"web", std::numeric_limits<double>::infinity()}})), "accepted");
  EXPECT_NE(refusal(given({{"web", std::numeric_limits<double>::quiet_NaN()}})), "accepted");
}

}  // namespace
}  // namespace sft
