#include "trainer/tasks/multi_label/pos_weights.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace sft {
namespace {

const std::vector<std::string> kTagNames = {"a", "b", "c"};

TEST(PosWeights, BalanceRowsWithoutAndRowsWithTheLabel) {
  const WordOrNumbers balanced{"balanced", {}};
  EXPECT_EQ(pos_weights(balanced, kTagNames, {1, 5, 0}, 10), (std::vector<double>{9, 1, 1}));
  EXPECT_EQ(pos_weights({}, kTagNames, {}, 0), (std::vector<double>{1, 1, 1}));
}

TEST(PosWeights, AreTakenByName) {
  const auto given = [](const std::string& name, double weight) {
    return pos_weights({"", {{name, weight}}}, kTagNames, {}, 0);
  };
  EXPECT_EQ(given("b", 2.5), (std::vector<double>{1, 2.5, 1}));
  EXPECT_THROW(given("d", 1), ConfigError);
  EXPECT_THROW(given("a", -1), ConfigError);
}

}  // namespace
}  // namespace sft
