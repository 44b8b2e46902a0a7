#include "base/text.h"

#include <gtest/gtest.h>

#include <iomanip>  // brings std::quoted, which must not be taken for ours

namespace sft {
namespace {

TEST(Text, QuotingLeavesNoControlCharacterAndNoBrokenUtf8) {
  EXPECT_EQ(in_quotes("plain"), "'plain'");
  EXPECT_EQ(in_quotes(std::string("a\x1b[31mb\n\t\x7f")), "'a\\x1b[31mb\\n\\t\\x7f'");
  EXPECT_EQ(in_quotes("\xC2\x9B"
                      "31m"),
            "'\\xc2\\x9b31m'")
      << "the C1 form of an escape sequence";
  EXPECT_EQ(in_quotes("caf\xC3\xA9"), "'caf\xC3\xA9'");
  EXPECT_EQ(in_quotes("caf\xC3"), "'caf\\xc3'");
  EXPECT_EQ(in_quotes(std::string(1, '\0')), "'\\x00'");
}

TEST(Text, QuotingCutsLongTextBetweenCharacters) {
  EXPECT_EQ(in_quotes("abcdef", 3), "'abc…'");
  EXPECT_EQ(in_quotes("ab\xE2\x82\xAC"
                      "d",
                      4),
            "'ab…'")
      << "the euro sign has three bytes";
  EXPECT_EQ(in_quotes("ab\xE2\x82\xAC"
                      "d",
                      5),
            "'ab\xE2\x82\xAC…'");
}

TEST(Text, FindsTheSpellingThatWasMeant) {
  const std::vector<std::string> keys = {"learning_rate", "num_train_epochs", "seed", "optim", "l1"};
  EXPECT_EQ(nearest("lerning_rate", keys), "learning_rate");
  EXPECT_EQ(nearest("LEARNING_RATE", keys), "learning_rate");
  EXPECT_EQ(nearest("sede", keys), "seed") << "two neighbours swapped are one mistake";
  EXPECT_EQ(nearest("epochs", keys), "num_train_epochs");
  EXPECT_EQ(nearest("optimizer", keys), "optim");
  EXPECT_EQ(nearest("colour", keys), "");
  EXPECT_EQ(nearest("", keys), "");
  EXPECT_EQ(nearest("x", {}), "");
  EXPECT_EQ(did_you_mean("sead", keys), " (did you mean 'seed'?)");
  EXPECT_EQ(did_you_mean("colour", keys), "");
}

TEST(Text, WritesQuantitiesAsPeopleReadThem) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(human_bytes(12.34 * 1024 * 1024), "12.3 MiB");
  EXPECT_EQ(human_seconds(0.04), "0.0s");
  EXPECT_EQ(human_seconds(41.23), "41.2s");
  EXPECT_EQ(human_seconds(59.99), "1m00s");
  EXPECT_EQ(human_seconds(127), "2m07s");
  EXPECT_EQ(human_seconds(3599.6), "1h00m");
  EXPECT_EQ(human_seconds(3 * 3600 + 5 * 60), "3h05m");
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1234567), "1,234,567");
  EXPECT_EQ(human_count(-123456), "-123,456");
}

TEST(Text, JoinsAndConcatenates) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(concat("rank ", 3, " of ", 8), "rank 3 of 8");
}

// The boundary cases of Unicode 15, table 3-7.
TEST(Text, KnowsWellFormedUtf8) {
  for (const char* good : {"", "a", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_valid_utf8(good)) << escaped(good);
  for (const char* bad : {"\x80", "\xC0\xAF", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xEF\xBF",
                          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "a\xFF"})
    EXPECT_FALSE(is_valid_utf8(bad)) << escaped(bad);
}

}  // namespace
}  // namespace sft
