// Units, kinds of GPUs, and what is told.
#include "trainer/planning/plan.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "trainer/planning/kinds.h"
#include "trainer/planning/units.h"

namespace sft::planning {
namespace {

TEST(Units, AreThoseThatPeopleWrite) {
  EXPECT_DOUBLE_EQ(seconds_from("20us", "--latency"), 20e-6);
  EXPECT_DOUBLE_EQ(seconds_from("0.3 ms", "--latency"), 0.3e-3);
  EXPECT_DOUBLE_EQ(seconds_from("2µs", "--latency"), 2e-6);
  EXPECT_DOUBLE_EQ(rate_from("12GB/s", "--bandwidth"), 12e9);
  EXPECT_DOUBLE_EQ(rate_from("100Gbit/s", "--bandwidth"), 12.5e9);
  EXPECT_DOUBLE_EQ(rate_from("1 GiB/s", "--bandwidth"), 1073741824);
}

TEST(Units, RefuseWhatIsNoneAndNameTheOption) {
  for (const char* wrong : {"", "20", "us", "-1us", "nanus", "20parsec", "infs"}) EXPECT_THROW(seconds_from(wrong, "--latency"), Error) << wrong;
  for (const char* wrong : {"-5GB/s", "0GB/s", "12GB", "12", "fast"}) {
    try {
      rate_from(wrong, "--bandwidth");
      FAIL() << wrong;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      EXPECT_NE(std::string(error.what()).find("--bandwidth"), std::string::npos);
    }
  }
}

TEST(Kinds, AreAsFastAsTheyWereSeenToBe) {
  const GpuKind& h100 = *find_kind("h100");
  EXPECT_NEAR(seconds_of(h100.bfloat16, 128 * 39e9), 128 / 4571.0, 1e-12);
  EXPECT_NEAR(seconds_of(h100.bfloat16, 1e6), 32 / 1410.0, 1e-12) << "the host is the bound";
  EXPECT_NEAR(seconds_of(h100.bfloat16, 1280 * 39e9), 1280 / 4571.0, 1e-12);
  EXPECT_NEAR(seconds_of(h100.bfloat16, 80 * 39e9), (32 / 1410.0 + 128 / 4571.0) / 2, 1e-12);
  EXPECT_TRUE(find_kind("a100")->bfloat16.empty());
  EXPECT_EQ(find_kind("z80"), nullptr);
}

Plan example() {
  Plan plan{.fabric = {.nodes = 2, .per_node = 8, .within = {}, .between = Link{20e-6, 12e9}},
            .device = "h100",
            .links = "between nodes as given",
            .run = {.trained = 1 << 30, .activations = 1 << 30, .tokens = 4096},
            .room = {.bytes = int64_t{80} << 30, .ranks = 16, .strategy = "zero1"},
            .rows_of_update = 256,
            .updates = 1000,
            .updates_of_epoch = 100,
            .update = {},
            .refusal = ""};
  plan.update = PlannedUpdate{.seconds = 0.5, .computing = 0.4, .waiting = 0.1, .collective = 0.2, .bytes = 1e9};
  return plan;
}

TEST(Plan, TellsMemoryOfEachStrategyAndTime) {
  const std::string table = table_of(example());
  for (const char* told : {"16: 2 nodes of 8 (h100)", "1,000 of 256 rows, 100 an epoch", "the config has zero1",
                           "500 ms an update, 50.0s an epoch, 8m20s in all", "100 ms waiting for other ranks (20 %)"})
    EXPECT_NE(table.find(told), std::string::npos) << told << '\n' << table;
  const auto json = json_of(example());
  EXPECT_EQ(json["memory_bytes"]["replicated"]["moments"], int64_t{2} << 30);
  EXPECT_EQ(json["memory_bytes"]["zero1"]["moments"], int64_t{2} << 26);
  EXPECT_EQ(json["memory_bytes"]["zero1"]["fits"], true);
  EXPECT_DOUBLE_EQ(json["seconds"]["run"], 500);
}

TEST(Plan, SaysWhyTimeIsNotTold) {
  Plan plan = example();
  plan.update.reset();
  plan.refusal = "nothing is known of the links";
  EXPECT_NE(table_of(plan).find("time        not told: nothing is known of the links"), std::string::npos);
  EXPECT_EQ(json_of(plan)["time_refused"], plan.refusal);
  EXPECT_FALSE(json_of(plan).contains("seconds"));
}

}  // namespace
}  // namespace sft::planning
