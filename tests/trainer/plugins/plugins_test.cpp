// What a plugin registers, and what is refused of it. Files themselves: tests/end_to_end/test_plugins.py.
#include "trainer/plugins/plugins.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "base/errors.h"

namespace sft {
namespace {

struct Zero final : plugin::Loss {
  double value(const plugin::Row& row, double* gradient) const override {
    for (int64_t k = 0; k < row.num_outputs; ++k) gradient[k] = 0;
    return 0;
  }
};
struct Rows final : plugin::Metric {
  int64_t num_sums(int64_t) const override { return 1; }
  void add(const plugin::Row&, double* sums) const override { sums[0] += 1; }
  double value(const double* sums, int64_t) const override { return sums[0]; }
  bool more_is_better() const override { return true; }
};
const Zero zero;
const Rows rows;

uint32_t brings_both(uint32_t, plugin::Registry* registry) {
  registry->add("zero", zero);
  registry->add("num_rows", rows);
  return plugin::kAbiVersion;
}
uint32_t brings_nothing(uint32_t, plugin::Registry*) { return plugin::kAbiVersion; }
uint32_t is_of_another_version(uint32_t, plugin::Registry*) { return plugin::kAbiVersion + 1; }
uint32_t throws(uint32_t, plugin::Registry*) { throw std::runtime_error("no licence"); }
uint32_t brings_one_twice(uint32_t, plugin::Registry* registry) {
  registry->add("zero", zero);
  registry->add("zero", rows);
  return plugin::kAbiVersion;
}
uint32_t brings_a_bad_name(uint32_t, plugin::Registry* registry) {
  registry->add("Zero\x1b[2J", zero);
  return plugin::kAbiVersion;
}

std::string refusal_of(Plugins::Register function) {
  Plugins plugins;
  plugins.take("./first.so", "aa", brings_both);
  try {
    plugins.take("./second.so", "bb", function);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Plugins, KnowWhoBringsWhat) {
  Plugins plugins;
  plugins.take("./first.so", "aa", brings_both);
  ASSERT_NE(plugins.loss("zero"), nullptr);
  EXPECT_EQ(plugins.loss("zero")->code, &zero);
  EXPECT_EQ(plugins.loss("num_rows"), nullptr) << "a metric is no loss";
  ASSERT_EQ(plugins.metrics().size(), 1U);
  EXPECT_EQ(plugins.metrics()[0].code, &rows);
  EXPECT_EQ(plugins.digest_of("zero"), "aa");
  EXPECT_EQ(plugins.digest_of("num_rows"), "aa");
  EXPECT_EQ(plugins.digest_of("accuracy"), "");
  EXPECT_EQ(plugins.loss_names(), StringList{"zero"});
}

TEST(Plugins, AreRefusedByName) {
  EXPECT_EQ(refusal_of(brings_nothing), "plugins: './second.so' brings no loss and no metric");
  EXPECT_EQ(refusal_of(is_of_another_version),
            "plugins: './second.so' was made for version 2 of sft-dist/plugin.h, and this program has version 1: "
            "compile it anew with the header that came with the program");
  EXPECT_EQ(refusal_of(throws), "plugins: './second.so' failed in sft_dist_plugin: no licence");
  EXPECT_EQ(refusal_of(brings_both), "plugins: './second.so' brings 'zero', which './first.so' brings already");
  EXPECT_EQ(refusal_of(brings_one_twice), "plugins: './second.so' brings 'zero', which './first.so' brings already");
  EXPECT_EQ(refusal_of(brings_a_bad_name),
            "plugins: './second.so' brings 'Zero\\x1b[2J': a name has a-z, 0-9 and _, and begins with a letter");
}

}  // namespace
}  // namespace sft
