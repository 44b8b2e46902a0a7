// Sets of labels and real numbers as targets: how the data tells which it has, and which are refused.
#include <gtest/gtest.h>

#include <filesystem>
#include <tuple>

#include "prepare_fixture.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

TEST_F(PrepareTest, FindsTheFormOfTargets) {
  const std::tuple<std::vector<std::string>, const char*, int64_t> cases[] = {
      {{"1", "2"}, "single_label_classification", 0},
      {{"\"1.5\"", "\"x\""}, "single_label_classification", 0},
      {{"1", "2.5", "3"}, "regression", 1},
      {{"[]", "[1,2]", "[0]"}, "multi_label_classification", 0},
      {{"[\"b\",\"a\"]", "[\"a\"]"}, "multi_label_classification", 0},
      {{"[1,2]", "[0,0.25]"}, "regression", 2},
  };
  for (const auto& [labels, type, width] : cases) {
    SCOPED_TRACE(labels.back());
    request_.files = {write("empty.jsonl", ""), write("a.jsonl", json_rows(labels))};
    for (const int ranks : {1, 3}) {
      fs::remove_all(request_.output_directory);
      const PrepareReport report = run(ranks);
      EXPECT_EQ(report.problem_type, type);
      EXPECT_EQ(report.num_targets, width);
    }
    const PrepareReport again = run();
    EXPECT_TRUE(again.reused);
    EXPECT_EQ(again.problem_type, type);
    EXPECT_EQ(again.num_targets, width);
  }
  request_.files = {write("a.csv", "text,label\na,1\nb,0.5\n")};
  EXPECT_EQ(run().problem_type, "regression");
  request_.problem_type = "single_label_classification";
  EXPECT_EQ(run().label_names, (std::vector<std::string>{"0.5", "1"}));
}

TEST_F(PrepareTest, KeepsSetsOfLabels) {
  request_.files = {write("a.jsonl", json_rows({"[\"net\",\"game\"]", "[]", "[\"Z\",\"net\"]"}))};
  const PrepareReport report = run();
  EXPECT_EQ(report.label_names, (std::vector<std::string>{"Z", "game", "net"}));
  EXPECT_EQ(report.label_counts, (std::vector<int64_t>{1, 1, 2}));
  const std::vector<std::vector<float>> wanted = {{0, 1, 1}, {0, 0, 0}, {1, 0, 1}};
  const auto got = examples(report);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(got[i].values, wanted[i]);

  request_.problem_type = "multi_label_classification";
  request_.files = {write("a.csv", "text,label\na,net| game\nb,\nc,Z |net\n")};
  const auto same = examples(run());
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(same[i].values, wanted[i]);
  config_.label_separator = ", ";
  request_.files = {write("b.tsv", "text\tlabel\na\tnet, game\nb\t\nc\tZ, net\n")};
  const auto others = examples(run());
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(others[i].values, wanted[i]);

  request_.labels_must_be_known = true;
  request_.label_names = {"Z", "game", "net"};
  EXPECT_EQ(error_of("v.jsonl", json_rows({"[\"net\"]", "[\"game\",\"nets\"]"})),
            "79: v.jsonl:2: label 'nets' is none of the 3 known labels: 'Z', 'game', 'net' (did you mean 'net'?)");
  request_.files = {write("few.jsonl", json_rows({"[\"net\"]"}))};
  EXPECT_EQ(examples(run())[0].values, (std::vector<float>{0, 0, 1})) << "as wide as train";
}

TEST_F(PrepareTest, ListsOfZerosAndOnesAreFlags) {
  const std::vector<std::vector<float>> wanted = {{1, 0, 1}, {0, 0, 0}, {0, 1, 1}};
  const auto expect_flags = [&] {
    const PrepareReport report = run(2);
    const auto got = examples(report);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(got[i].values, wanted[i]);
    EXPECT_EQ(report.label_counts, (std::vector<int64_t>{1, 1, 2}));
    EXPECT_EQ(report.problem_type, "multi_label_classification");
    EXPECT_NE(describe(report, "train").find("told by 3 flags a row"), std::string::npos);
    return report.label_names;
  };
  const std::vector<std::string> numbered = {"LABEL_0", "LABEL_1", "LABEL_2"};
  for (const auto& labels : {std::vector<std::string>{"[1,0,1]", "[0,0,0]", "[0,1,1]"},
                             {"[1.0,0.0,1.0]", "[0.0,0.0,0.0]", "[0.0,1.0,1.0]"},
                             {"[true,false,true]", "[false,false,false]", "[false,true,true]"}}) {
    request_.files = {write("a.jsonl", json_rows(labels))};
    EXPECT_EQ(expect_flags(), numbered);
  }
  request_.problem_type = "multi_label_classification";
  request_.files = {write("a.csv", "text,label\na,1|0|1\nb,0|0|0\nc,0|1|1\n")};
  EXPECT_EQ(expect_flags(), numbered);
  request_.label_names = {"red", "green", "blue"};
  request_.labels_must_be_known = true;
  EXPECT_EQ(expect_flags(), request_.label_names);
  EXPECT_EQ(error_of("four.jsonl", json_rows({"[1,0,0,1]", "[0,0,0,1]"})).substr(0, 72),
            "79: four.jsonl:1: column 'label' names the label '0' twice; 0 and 1 are ");
}

TEST_F(PrepareTest, TwoFlagsAreTakenForSetsWhereOneRowIsNoFlags) {
  request_.files = {write("a.jsonl", json_rows({"[1,0]", "[0,1]"}))};
  const auto flags = examples(run());
  EXPECT_EQ(flags[0].values, (std::vector<float>{1, 0}));
  EXPECT_EQ(flags[1].values, (std::vector<float>{0, 1}));
  for (const std::string other : {"[1]", "[]", "[0,2]"}) {
    request_.files = {write("a.jsonl", json_rows({"[1,0]", "[0,1]", other}))};
    const PrepareReport report = run();
    EXPECT_EQ(report.label_names[0], "0") << other;
    EXPECT_EQ(examples(report)[0].values[1], 1) << other;
  }
}

TEST_F(PrepareTest, ListsWrittenAsTextAreNoLabels) {
  request_.problem_type = "multi_label_classification";
  EXPECT_EQ(error_of("a.csv", "text,label\na,\"[1, 0]\"\n"),
            "79: a.csv:2: column 'label' is a list written as text, '[1, 0]'; wanted labels with '|' between them, or, "
            "in .jsonl, a list");
  request_.problem_type = "";
  request_.files = {write("a.csv", "text,label\na,\"[1, 0]\"\nb,\"[0, 1]\"\n")};
  const PrepareReport report = run();
  ASSERT_EQ(report.warnings.size(), 1u);
  EXPECT_EQ(report.warnings[0].substr(0, 42), "the label '[0, 1]' looks like a list, and ");
}

TEST_F(PrepareTest, KeepsRealTargets) {
  request_.files = {write("a.jsonl", json_rows({"[1,-2.5]", "[0.25,1e3]"}))};
  const PrepareReport report = run();
  EXPECT_EQ(report.num_targets, 2);
  EXPECT_TRUE(report.label_names.empty());
  const auto got = examples(report);
  EXPECT_EQ(got[0].values, (std::vector<float>{1, -2.5f}));
  EXPECT_EQ(got[1].values, (std::vector<float>{0.25f, 1000}));

  request_.problem_type = "regression";
  request_.files = {write("stars.jsonl", json_rows({"5", "1"}))};
  EXPECT_EQ(examples(run())[0].values, std::vector<float>{5});
  request_.files = {write("two.csv", "text,label\na,1|2\nb, 0.5 |-1\n")};
  EXPECT_EQ(examples(run())[1].values, (std::vector<float>{0.5f, -1}));
}

TEST_F(PrepareTest, SaysWhichTargetIsWrongAndWhere) {
  const auto bad = [&](const std::string& type, const std::string& label) {
    request_.problem_type = type;
    return error_of("a.jsonl", json_rows({type == "regression" ? "0.5" : "[\"a\",\"b\"]", label}));
  };
  const std::string place = "79: a.jsonl:2: column 'label' ";
  EXPECT_EQ(bad("multi_label_classification", "[\"b\",\"a\",\"b\"]"), place + "names the label 'b' twice");
  EXPECT_EQ(bad("multi_label_classification", "[\"\"]"), place + "has an item that is empty");
  EXPECT_EQ(bad("multi_label_classification", "[null]"),
            place + "has an item that wanted a string, number or boolean, found null");
  EXPECT_EQ(bad("multi_label_classification", "7"), place + "wanted a list of labels, found the number 7");
  EXPECT_EQ(bad("multi_label_classification", "null"), place + "wanted a list of labels, found null");
  EXPECT_EQ(bad("regression", "\"1.5\""), place + "wanted a finite number, found '1.5'");
  EXPECT_EQ(bad("regression", "null"), place + "wanted a finite number, found null");
  EXPECT_EQ(bad("regression", "1e99"), place + "wanted a finite number, found the number 1e+99");
  EXPECT_EQ(bad("regression", "[1,2]"), place + "has 2 numbers, and 1 is wanted");
  EXPECT_EQ(bad("regression", "[]"), place + "has 0 numbers, and 1 is wanted");
  EXPECT_EQ(bad("regression", "NaN").substr(0, 28), "79: a.jsonl:2: not valid JSO");
  request_.problem_type = "";
  for (const std::string_view number : {"nan", "-inf", "", "x"})
    EXPECT_EQ(error_of("a.csv", concat("text,label\na,0.5\nb,", number, "\n")),
              concat("79: a.csv:3: column 'label' wanted a finite number, found '", number, "'"));
  config_.on_bad_row = "skip";
  EXPECT_EQ(run().bad_rows, 1);
  EXPECT_EQ(error_of("a.jsonl", json_rows({"[]", "[]"})),
            "79: train: no row has a label (data.label_column = 'label')");
}

}  // namespace
}  // namespace sft
