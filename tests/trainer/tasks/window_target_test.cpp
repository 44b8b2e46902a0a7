// Which tokens of a window are the answer.
#include "trainer/tasks/question_answering/rows/window_target.h"

#include <gtest/gtest.h>

namespace sft {
namespace {

using Target = std::array<int32_t, 2>;

// <cls> who <sep>, then tokens of the context at the given places, <sep>.
ContextWindow window(std::vector<std::pair<int32_t, int32_t>> places) {
  ContextWindow out{{0, 7, 1}, {0, 0, 0}, {-1, -1, -1}, {-1, -1, -1}};
  places.emplace_back(-1, -1);
  for (const auto& [first, end] : places) {
    out.ids.push_back(9);
    out.segments.push_back(1);
    out.first.push_back(first);
    out.end.push_back(end);
  }
  return out;
}

Target target(const ContextWindow& window, std::vector<MarkedAnswer> answers) {
  return target_of(window, {"id", "who", "By Ada L. 😀", std::move(answers)});
}

const ContextWindow kWhole = window({{0, 2}, {3, 4}, {4, 6}, {7, 8}, {8, 9}, {10, 11}, {10, 11}, {10, 11}});

TEST(WindowTarget, IsTheFirstAndTheLastTokenOfTheAnswer) {
  EXPECT_EQ(target(kWhole, {{"Ada", 3}}), (Target{4, 5}));
  EXPECT_EQ(target(kWhole, {{"da L", 4}}), (Target{5, 6}));
  EXPECT_EQ(target(kWhole, {{"a", 5}}), (Target{5, 5})) << "a piece of a token";
  EXPECT_EQ(target(kWhole, {{"By Ada L. 😀", 0}}), (Target{3, 10}));
  EXPECT_EQ(target(kWhole, {{"Ada", 3}, {"L", 7}}), (Target{4, 5})) << "the first answer counts";
}

TEST(WindowTarget, HoldsAllTokensOfOneCharacter) { EXPECT_EQ(target(kWhole, {{"😀", 10}}), (Target{8, 10})); }

TEST(WindowTarget, LeavesTheSpaceAroundAnAnswer) {
  EXPECT_EQ(target(kWhole, {{" Ada ", 2}}), (Target{4, 5}));
  EXPECT_EQ(target_of(window({{1, 3}}), {"id", "who", " ab ", {{" ab ", 0}}}), (Target{3, 3}));
}

TEST(WindowTarget, IsClsWithoutAWholeAnswer) {
  EXPECT_EQ(target(kWhole, {}), (Target{0, 0}));
  const ContextWindow part = window({{3, 4}, {4, 6}});
  EXPECT_EQ(target(part, {{"Ada", 3}}), (Target{3, 4}));
  EXPECT_EQ(target(part, {{"By Ada", 0}}), (Target{0, 0}));
  EXPECT_EQ(target(part, {{"da L", 4}}), (Target{0, 0}));
  EXPECT_EQ(target(part, {{"L", 7}}), (Target{0, 0}));
  EXPECT_EQ(target(kWhole, {{" ", 2}}), (Target{0, 0})) << "no token holds it";
  EXPECT_EQ(target(window({}), {{"Ada", 3}}), (Target{0, 0}));
}

}  // namespace
}  // namespace sft
