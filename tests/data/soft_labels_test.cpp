// Rows whose label is a probability for each label, and a teacher's logits: what prepare keeps of them, and what it
// refuses.
#include <gtest/gtest.h>

#include <filesystem>

#include "prepare_fixture.h"
#include "trainer/tasks/recipes/probability_cells.h"

namespace sft {
namespace {

class SoftLabels : public PrepareTest {
 protected:
  template <class T = float>
  std::vector<std::vector<T>> column(const PrepareReport& report, const std::string& name) {
    const auto dataset = open_dataset(report.shards);
    std::vector<std::vector<T>> all;
    for (int64_t i = 0; i < dataset->size(); ++i) {
      Packed cell(number_of<T>());
      dataset->append(i, dataset->schema().place(name), cell);
      all.push_back(list_of<T>(cell));
    }
    return all;
  }
};

using Rows = std::vector<std::vector<float>>;

TEST_F(SoftLabels, StandBesidePlainOnesAndAreCountedByTheLikeliest) {
  request_.files = {write("a.jsonl", json_rows({"\"b\"", R"({"c":0.25,"a":0.75})", R"({"b":0.5,"c":0.5})"}))};
  for (const int ranks : {1, 3}) {
    std::filesystem::remove_all(request_.output_directory);
    const PrepareReport report = run(ranks);
    EXPECT_EQ(report.problem_type, "single_label_classification");
    EXPECT_EQ(report.label_names, (StringList{"a", "b", "c"}));
    EXPECT_EQ(report.label_counts, (std::vector<int64_t>{1, 2, 0}));
    EXPECT_EQ(column(report, "distribution"), (Rows{{0, 1, 0}, {0.75f, 0, 0.25f}, {0, 0.5f, 0.5f}}));
    EXPECT_EQ(column<int64_t>(report, "labels"), (std::vector<std::vector<int64_t>>{{1}, {0}, {1}}))
        << "of equals the first";
  }
  // A validation split knows the labels, and is read the same way.
  request_.split = "validation";
  request_.problem_type = "single_label_classification";
  request_.label_names = {"a", "b", "c"};
  request_.labels_must_be_known = true;
  EXPECT_EQ(column(run(), "distribution").size(), 3u);
  EXPECT_TRUE(may_hold_probabilities({"a.csv", "b.jsonl.gz"}) && may_hold_probabilities({"data/"}) &&
              may_hold_probabilities({"a.parquet"}));
  EXPECT_FALSE(may_hold_probabilities({"a.csv", "b.tsv.zst"}));
  EXPECT_EQ(error_of("b.jsonl", json_rows({R"({"d":1})"})).substr(0, 24), "79: b.jsonl:1: label 'd'");
}

TEST_F(SoftLabels, RowsOfPlainLabelsHaveNoColumnOfThem) {
  request_.files = {write("a.jsonl", json_rows({"\"b\"", "\"a\""}))};
  EXPECT_EQ(open_dataset(run().shards)->schema().find("distribution"), nullptr);
}

TEST_F(SoftLabels, OfListsAreInTheOrderOfTheLabels) {
  request_.problem_type = "single_label_classification";
  request_.files = {write("a.jsonl", json_rows({"[0.5,0.25,0.25]", "[0,0,1]"}))};
  const PrepareReport report = run();
  EXPECT_EQ(report.label_names, (StringList{"LABEL_0", "LABEL_1", "LABEL_2"}));
  EXPECT_EQ(column(report, "distribution"), (Rows{{0.5f, 0.25f, 0.25f}, {0, 0, 1}}));
  EXPECT_EQ(error_of("b.jsonl", json_rows({"[0.5,0.25,0.25]", "[0,1]"})),
            "79: b.jsonl:2: column 'label' holds 2 probabilities, and there are 3 labels");
}

TEST_F(SoftLabels, AreRefusedWithTheirPlaceOrNormalizedOnWish) {
  const std::string place = "79: a.jsonl:2: column 'label' ";
  const auto second = [&](const char* label) {
    return error_of("a.jsonl", json_rows({R"({"a":0.5,"b":0.5})", label}));
  };
  EXPECT_EQ(second(R"({"a":0.5,"b":0.25})"),
            place +
                "holds probabilities that sum to 0.75; wanted 1, and data.normalize_label_probabilities = true "
                "divides them by their sum");
  EXPECT_EQ(second(R"({"a":1.5,"b":-0.5})"), place + "holds the probability -0.5; wanted numbers from 0 to 1");
  EXPECT_EQ(second(R"({"a":"x"})"), place + "wanted a finite number, found 'x'");
  EXPECT_EQ(second(R"({"a":0.5,"a":0.5})"), place + "names the label 'a' twice");
  EXPECT_EQ(second("{}"), place + "is an empty object; wanted a label, or { label = probability }");
  config_.normalize_label_probabilities = true;
  request_.files = {write("b.jsonl", json_rows({R"({"a":3,"b":1})", R"({"b":2})"}))};
  EXPECT_EQ(column(run(), "distribution"), (Rows{{0.75f, 0.25f}, {0, 1}}));
  EXPECT_EQ(second(R"({"a":0})"), place + "holds probabilities that are all 0, which no division makes sum to 1");
}

TEST_F(SoftLabels, ATeachersLogitsAreReadForTrainingAlone) {
  config_.teacher_column = "said";
  const std::string rows =
      "{\"text\":\"a\",\"label\":\"x\",\"said\":[1.5,-2]}\n{\"text\":\"b\",\"label\":\"y\",\"said\":[0,3]}\n";
  request_.files = {write("a.jsonl", rows)};
  EXPECT_EQ(open_dataset(run().shards)->schema().find("teacher_logits"), nullptr);
  request_.is_drawn_from = true;
  EXPECT_EQ(column(run(2), "teacher_logits"), (Rows{{1.5f, -2}, {0, 3}}));
  EXPECT_EQ(error_of("b.jsonl", rows + "{\"text\":\"c\",\"label\":\"y\",\"said\":[1]}\n"),
            "79: b.jsonl:3: column 'said' has 1 numbers, and 2 are wanted");
  const auto third = [&](const std::string& said) {
    return error_of("n.jsonl", rows + R"({"text":"c","label":"y","said":)" + said + "}\n");
  };
  EXPECT_EQ(third(R"({"y":1})"), "79: n.jsonl:3: column 'said' has no number for the label 'x'");
  EXPECT_EQ(third(R"({"y":1,"x":2,"z":3})"), "79: n.jsonl:3: column 'said' names 'z', which is no label");
  EXPECT_EQ(third(R"({"y":1,"y":2,"x":2})"), "79: n.jsonl:3: column 'said' names the label 'y' twice");
  request_.files = {write("by_name.jsonl", R"({"text":"a","label":"x","said":{"y":-2,"x":1.5}})"
                                           "\n"
                                           R"({"text":"b","label":"y","said":{"x":0,"y":3}})"
                                           "\n")};
  EXPECT_EQ(column(run(2), "teacher_logits"), (Rows{{1.5f, -2}, {0, 3}}))
      << "a teacher may have its labels in any order";
  EXPECT_EQ(error_of("c.jsonl", rows + "{\"text\":\"c\",\"label\":\"y\"}\n").substr(0, 39),
            "79: c.jsonl:3: column 'said' is missing");
}

}  // namespace
}  // namespace sft
