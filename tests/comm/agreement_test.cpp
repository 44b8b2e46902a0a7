#include "comm/agreement.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/text.h"
#include "tests/comm/worlds/worlds.h"

namespace sft::test {
namespace {

class Agreement : public ::testing::TestWithParam<World> {};

std::string refusal(Communicator& world, const Facts& facts) {
  try {
    require_agreement(world, [&] { return facts; });
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
    EXPECT_EQ(error.reach(), Reach::everywhere);
    return error.what();
  }
  return "";
}

TEST_P(Agreement, IsWhereAllFactsAreAlike) {
  GetParam().run([](Communicator& world) {
    EXPECT_EQ(refusal(world, {{"seed", "7"}, {"model", "content"}}), "");
    EXPECT_EQ(refusal(world, {}), "");
  });
}

TEST_P(Agreement, OneRankThatDiffersIsNamedOnEveryRank) {
  GetParam().run([](Communicator& world) {
    if (world.size() == 1) return;
    const int other = world.size() - 1;
    Facts facts{{"seed", world.rank() == other ? "9" : "7"}, {"model", "content"}};
    if (world.rank() == other) facts["more"] = "here";
    const std::string said = refusal(world, facts);
    EXPECT_NE(said.find(concat("9 on rank ", other, " (host ")), std::string::npos) << said;
    EXPECT_NE(said.find("\n  more: "), std::string::npos) << said;
    EXPECT_EQ(said.find("model"), std::string::npos) << said;
  });
}

TEST_P(Agreement, AnErrorOfOneRankIsOfAll) {
  GetParam().run([](Communicator& world) {
    if (world.size() == 1) return;
    EXPECT_THROW(require_agreement(world,
                                   [&]() -> Facts {
                                     if (world.rank() == 0) throw DataError("unreadable");
                                     return {};
                                   }),
                 Error);
  });
}

INSTANTIATE_TEST_SUITE_P(Worlds, Agreement, ::testing::ValuesIn(worlds()),
                         [](const auto& instance) { return instance.param.name; });

TEST(AgreementTable, StartsWithWhatMostRanksHave) {
  const std::vector<std::string> hosts{"a", "a", "b", "b", "c"};
  std::vector<Facts> facts(5, Facts{{"seed", "7"}, {"loss", "mse"}});
  facts[1] = {{"seed", "9"}};
  EXPECT_EQ(disagreements(facts, hosts),
            "\n  loss: mse on ranks 0, 2-4 (hosts a, b, c); none on rank 1 (host a)"
            "\n  seed: 7 on ranks 0, 2-4 (hosts a, b, c); 9 on rank 1 (host a)");
}

TEST(AgreementTable, LongValuesAreShownFromWhereTheyDiffer) {
  const std::string common(300, 'x');
  const std::string table = disagreements({{{"names", common + "left"}}, {{"names", common + "right"}}}, {"a", "a"});
  EXPECT_NE(table.find("xxxxleft on rank 0"), std::string::npos) << table;
  EXPECT_LT(table.size(), 150u);
}

TEST(AgreementTable, ManyRowsAreCut) {
  Facts one, other;
  for (int i = 0; i < 100; ++i) one[std::to_string(i)] = "1", other[std::to_string(i)] = "2";
  EXPECT_NE(disagreements({one, other}, {"a", "a"}).find("\n  … and 70 more"), std::string::npos);
}

}  // namespace
}  // namespace sft::test
