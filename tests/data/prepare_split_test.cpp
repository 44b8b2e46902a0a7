// data.validation_split: which rows are held out depends on their content and the seed alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>

#include "data/prepare/split.h"
#include "prepare_fixture.h"

namespace sft {
namespace {

namespace fs = std::filesystem;
using Side = PrepareRequest::Side;

// 40 groups of equal texts in each of three labels, one of them rare.
TEST_F(PrepareTest, SplitsByContentWithinEachLabel) {
  std::vector<std::string> rows;
  for (int i = 0; i < 400; ++i)
    rows.push_back(concat("text ", i % 200, ",", i % 200 < 20 ? "rare" : i % 2 ? "odd" : "even", ",g", i % 50));
  const auto file = [&](std::mt19937 random) {
    std::shuffle(rows.begin(), rows.end(), random);
    return write("a.csv", "text,label,group\n" + join(rows, "\n"));
  };
  config_.validation_split = 0.1;
  const auto part = [&](Side which, int ranks) {
    request_.side = which;
    fs::remove_all(request_.output_directory);
    const PrepareReport report = run(ranks);
    const auto all = texts(report);
    if (which == Side::validation && config_.group_column.empty()) {
      EXPECT_EQ(report.label_counts,
                (std::vector<int64_t>{18, 18, 4}));  // a tenth of 90, 90 and 20 texts, two rows each
    }
    return std::multiset<std::string>(all.begin(), all.end());
  };
  request_.files = {file(std::mt19937(1))};
  const auto train = part(Side::train, 1), validation = part(Side::validation, 3);
  EXPECT_EQ(train.size() + validation.size(), 400u);
  for (const std::string& text : validation) EXPECT_EQ(train.count(text), 0u);

  request_.files = {file(std::mt19937(2))};
  EXPECT_TRUE(part(Side::validation, 2) == validation) << "the order of rows matters";
  request_.split_seed = 1;
  EXPECT_FALSE(part(Side::validation, 1) == validation) << "the seed does not matter";

  config_.group_column = "group";
  std::set<int> groups;
  const auto held_out = part(Side::validation, 1);
  for (const std::string& text : held_out) groups.insert(std::stoi(text.substr(4)) % 50);
  EXPECT_EQ(held_out.size(), 8 * groups.size()) << "a group is on both sides";
  EXPECT_EQ(groups.size(), 6u);  // round(2.5) of the 25 groups of even texts and of the 25 of odd ones

  config_.validation_split = 0.001;
  EXPECT_EQ(error(), "79: a.csv: data.validation_split = 0.001 leaves no row for validation");
}

// 40 rows in groups of 10, and 60 rows of 30 texts that name none.
TEST_F(PrepareTest, RowsWithoutAGroupAreNotOneGroup) {
  StringList rows;
  for (int i = 0; i < 100; ++i) {
    const std::string group = i < 40 ? concat("\"g", i / 10, "\"") : i % 2 ? "null" : "\"\"";
    rows.push_back(concat(R"({"text":"text )", i < 40 ? i : 40 + i % 30, R"(","label":")", i % 3 ? "x" : "y",
                          R"(","group":)", group, "}"));
  }
  request_.files = {write("a.jsonl", join(rows, "\n"))};
  config_.group_column = "group";
  config_.fold = "1/2";
  const auto part = [&](Side which, int ranks) {
    request_.side = which;
    fs::remove_all(request_.output_directory);
    const PrepareReport report = run(ranks);
    EXPECT_EQ(report.warnings,
              StringList{"60 rows name no group (data.group_column = 'group' is null or empty): each stays with rows of "
                         "its own content alone, as without that column"});
    const auto all = texts(report);
    return std::multiset<std::string>(all.begin(), all.end());
  };
  const auto train = part(Side::train, 2), validation = part(Side::validation, 3);
  EXPECT_EQ(train.size() + validation.size(), 100u);
  std::set<int> held_out, groups;
  for (const std::string& text : validation) {
    EXPECT_EQ(train.count(text), 0u) << "equal texts are on both sides";
    const int number = std::stoi(text.substr(4));
    if (number < 40) groups.insert(number / 10);
    if (number >= 40) held_out.insert(number);
  }
  EXPECT_NEAR(static_cast<double>(held_out.size()), 15, 4 * 2.8) << "four standard deviations of 30 texts";
  EXPECT_EQ(std::ranges::count_if(validation, [](const auto& text) { return std::stoi(text.substr(4)) < 40; }),
            10 * static_cast<std::ptrdiff_t>(groups.size()))
      << "a group is on both sides";

  request_.files = {write("b.jsonl", R"({"text":"a","label":"x","group":["g"]})")};
  EXPECT_EQ(error(), "79: b.jsonl:1: column 'group' wanted a text or a number that names a group, found an array");
}

// 60 texts, each in both of two files.
TEST_F(PrepareTest, FoldsShareOutAllRowsWhateverTheOrderOfFiles) {
  std::vector<std::string> rows;
  for (int i = 0; i < 60; ++i) rows.push_back(concat("text ", i, ",", i % 2 ? "odd" : "even"));
  const std::string first = write("a.csv", "text,label\n" + join(rows, "\n"));
  std::reverse(rows.begin(), rows.end());
  const std::string second = write("b.csv", "text,label\n" + join(rows, "\n"));
  const auto part = [&](Side which, int ranks) {
    request_.side = which;
    fs::remove_all(request_.output_directory);
    const auto all = texts(run(ranks));
    return std::multiset<std::string>(all.begin(), all.end());
  };
  std::multiset<std::string> held_out;
  for (const char* fold : {"1/3", "2/3", "3/3"}) {
    config_.fold = fold;
    request_.files = {first, second};
    const auto validation = part(Side::validation, 1), train = part(Side::train, 2);
    request_.files = {second, first};
    EXPECT_TRUE(part(Side::validation, 3) == validation) << "the order of files matters";
    EXPECT_EQ(train.size() + validation.size(), 120u);
    EXPECT_NEAR(static_cast<double>(validation.size()), 40, 2 * 4 * 3.7);  // four standard deviations of 60 texts
    for (const std::string& text : validation) EXPECT_EQ(train.count(text), 0u);
    held_out.insert(validation.begin(), validation.end());
  }
  EXPECT_EQ(held_out.size(), 120u) << "each row is held out once";
}

TEST(Fold, IsReadFromTextOrRefused) {
  EXPECT_EQ(fold_from("2/5").index, 1);
  EXPECT_EQ(fold_from("2/5").count, 5);
  for (const char* wrong : {"", "2", "0/5", "6/5", "1/1", "1/5x", "/5", "1/", "-1/5", "1/2000"})
    EXPECT_THROW(fold_from(wrong), ConfigError) << wrong;
}

TEST(Split, FrequentLabelsGiveTheirShareWithinChance) {
  SplitCensus census;
  std::mt19937_64 random(5);
  std::vector<uint64_t> keys(20000);
  for (uint64_t& key : keys) census.add("frequent", key = random());
  const Split split(census, 0.2);
  int64_t held_out = 0;
  for (const uint64_t key : keys) held_out += split.is_validation(key);
  EXPECT_NEAR(static_cast<double>(held_out), 4000, 4 * 57);  // four standard deviations
}

TEST(Split, MergedCensusesAreOneCensus) {
  std::mt19937_64 random(6);
  SplitCensus whole, left, right;
  for (int i = 0; i < 6000; ++i) {
    const uint64_t key = random();
    const std::string label = i % 3 == 0 ? "frequent" : concat("label", i % 200);
    whole.add(label, key);
    (i % 2 ? left : right).add(label, key);
  }
  left.merge(right.keys());
  const Split one(whole, 0.3), merged(left, 0.3);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t key = random();
    EXPECT_EQ(one.is_validation(key), merged.is_validation(key));
  }
  for (const auto& [label, keys] : whole.keys()) {
    for (const uint64_t key : keys) EXPECT_EQ(one.is_validation(key), merged.is_validation(key)) << label;
  }
}

TEST_F(PrepareTest, SplitsSetsAndNumbersByContent) {
  std::vector<std::string> rows;
  for (int i = 0; i < 200; ++i) rows.push_back(concat("{\"text\":\"text ", i, "\",\"label\":[\"x\",\"l", i, "\"]}"));
  request_.files = {write("a.jsonl", join(rows, "\n"))};
  config_.validation_split = 0.1;
  request_.side = Side::train;
  const PrepareReport train = run();
  EXPECT_EQ(train.num_rows, 180);
  EXPECT_EQ(train.label_names.size(), 201u) << "names are those of the whole file";
  request_.side = Side::validation;
  request_.problem_type = train.problem_type;
  request_.label_names = train.label_names;
  request_.labels_must_be_known = true;
  EXPECT_EQ(run(3).num_rows, 20);
}

}  // namespace
}  // namespace sft
