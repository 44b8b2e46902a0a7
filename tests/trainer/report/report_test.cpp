#include "trainer/report/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/file_ops.h"
#include "tests/base/temporary_directory.h"
#include "trainer/report/html.h"
#include "trainer/report/page.h"
#include "trainer/report/row_review.h"
#include "trainer/report/run_facts.h"

namespace sft {
namespace {

// A run directory written by hand, in parts that tests leave out or spoil.
class RunReport : public testing::Test {
 protected:
  void config(const std::string& run, const std::string& more = "") const {
    directory.file(run + "/config.toml",
                   "output_dir = 'x'\n[model]\nmodel_name_or_path = 'm'\n[data]\ntext_column = "
                   "['text']\nlabel_column = 'label'\ntest_file = ['" +
                       directory.path("test.jsonl") + "']\n" + more);
  }
  void log(const std::string& run, const std::string& lines) const { directory.file(run + "/metrics.jsonl", lines); }
  void summary(const std::string& run, const std::string& json) const { directory.file(run + "/summary.json", json); }
  std::string page_of(const std::string& run) const { return run_page(read_run(directory.path(run))); }

  TemporaryDirectory directory;
};

const char* const kSummary = R"({"global_step": 20, "total_steps": 20, "exit_reason": "finished", "train_runtime": 3.5,
  "world_size": 2, "metrics": null, "test_metrics": {"loss": 0.5, "accuracy": 0.75, "f1": 0.7, "samples": 4, "details": {
  "per_class": {"a": {"precision": 1, "recall": 0.5, "f1": 0.66, "support": 2}, "<script>alert(1)</script>": {"f1": 0.8, "support": 2}},
  "labels": ["a", "<script>alert(1)</script>"], "confusion_matrix": [[1, 1], [0, 2]]}}})";

TEST_F(RunReport, ShowsWhatARunWithoutASummaryHasLogged) {
  config("run");
  log("run",
      "{\"step\": 10, \"loss\": 2.5}\n{\"step\": 20, \"loss\": \"NaN\"}\n{\"step\": 30, \"loss\": 1.5}\n{\"step\": 4");
  const RunRecord record = read_run(directory.path("run"));
  EXPECT_EQ(record.state, RunRecord::State::open);
  EXPECT_EQ(record.last_step, 30);
  EXPECT_EQ(record.curve("loss")->points.size(), 2u);
  EXPECT_NE(run_page(record).find("has not ended"), std::string::npos);
}

TEST_F(RunReport, TakesARunThatIsTrainedFurtherAsOneThatHasNotEnded) {
  config("run");
  log("run", "{\"step\": 10, \"loss\": 2.5}\n");
  summary("run",
          R"({"exit_reason": "going_on", "global_step": 10, "total_steps": 10, "before": {"exit_reason": "finished",
    "global_step": 10, "test_metrics": {"accuracy": 0.75}}})");
  const RunRecord record = read_run(directory.path("run"));
  EXPECT_EQ(record.state, RunRecord::State::open);
  EXPECT_NE(run_page(record).find("has not ended"), std::string::npos);
  EXPECT_EQ(run_page(record).find("0.75"), std::string::npos);
}

TEST_F(RunReport, TellsNoRowsOfAnEarlierEnd) {
  config("run");
  directory.file("run/predictions.jsonl",
                 R"({"label": "a", "score": 0.9, "reference": "b", "text": "t", "characters": 1, "place": "p:1"})"
                 "\n");
  const auto rows = [&](const char* json) {
    summary("run", json);
    return review_rows(read_run(directory.path("run"))).rows;
  };
  EXPECT_EQ(rows(R"({"global_step": 10, "exit_reason": "finished", "test_metrics": {"accuracy": 0}, "margins": true})"),
            1);
  EXPECT_TRUE(read_run(directory.path("run")).has_left_margins());
  EXPECT_EQ(rows(R"({"global_step": 30, "exit_reason": "finished", "test_metrics": null, "margins": false})"), 0);
  EXPECT_FALSE(read_run(directory.path("run")).has_left_margins());
  EXPECT_EQ(rows(R"({"exit_reason": "going_on", "before": {"test_metrics": {"accuracy": 0}}})"), 0);
  EXPECT_FALSE(read_run(directory.path("run")).has_left_margins());
}

TEST_F(RunReport, NeedsNothingButAConfig) {
  config("run");
  EXPECT_NE(page_of("run").find("</html>"), std::string::npos);
  EXPECT_THROW(read_run(directory.path("none")), ConfigError);
  EXPECT_THROW(write_report({directory.path("none")}, directory.path("x.html")), ConfigError);
}

TEST_F(RunReport, EscapesWhatComesFromFiles) {
  config("run", "label_column2 = '<img src=x onerror=alert(2)>'\n");
  summary("run", kSummary);
  const std::string page = page_of("run");
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)"), std::string::npos);
}

TEST_F(RunReport, SummaryOlderThanTheLogIsNotHowTheRunEnded) {
  config("run");
  summary("run", kSummary);
  EXPECT_EQ(read_run(directory.path("run")).state, RunRecord::State::finished);
  log("run", "{\"step\": 21, \"loss\": 2.5}\n");
  EXPECT_EQ(read_run(directory.path("run")).state, RunRecord::State::open);
}

TEST_F(RunReport, TellsWhatAnExitStatusMeans) {
  config("run");
  log("run", "{\"step\": 21, \"loss\": 2.5}\n");
  directory.file("run/exit_status", "80\n");
  const RunRecord record = read_run(directory.path("run"));
  EXPECT_EQ(record.state, RunRecord::State::failed);
  EXPECT_EQ(record.ending, "loss or gradients were not finite (exit code 80)");
}

// Other tasks have other metrics and details; none of them may break the page.
TEST_F(RunReport, ShowsMetricsAndDetailsOfAnyShape) {
  config("run");
  for (const char* test :
       {R"({"mse": 0.25, "r2": "NaN", "details": {"per_entity": {"PER": {"f1": 0.5, "support": 3}}}})", R"("lost")",
        R"({"bleu": 31.5, "details": [1, 2]})",
        R"({"details": {"calibration": {"bins": [{"above": 0}, 3, {"above": 0, "up_to": 1, "samples": 3, "probability": 1, "came_true": "x"}]}}})",
        R"({"details": {"calibration": {"bins": [{"above": 0, "up_to": 1, "samples": 3, "probability": 1, "came_true": 1}]}}})",
        R"({"accuracy": {"deep": 1}, "details": {"labels": 3, "confusion_matrix": [[1], "x"]}})",
        R"({"details": {"labels": ["a", "b"], "confusion_matrix": [[1], [2]], "per_class": {"a": 3}}})"}) {
    summary(
        "run",
        std::string(
            R"({"global_step": 1, "exit_reason": 7, "peak_rss_bytes": ["x"], "best_metric": "no", "metrics": [], "test_metrics": )") +
            test + "}");
    EXPECT_NE(page_of("run").find("</html>"), std::string::npos) << test;
    EXPECT_FALSE(run_in_words(directory.path("run")).empty()) << test;
  }
  summary("run", R"({"test_metrics": {"mse": 0.25, "details": {"per_entity": {"PER": {"f1": 0.5, "support": 3}}}}})");
  EXPECT_NE(page_of("run").find("Scores by entity"), std::string::npos);
}

// One in three of the test rows has the class that is the most frequent in training, not in the test rows.
TEST_F(RunReport, TellsRowsBatchRateBaselineAndTimeAlsoWhereTheyAreTheDefaults) {
  config("run", "[train]\nglobal_batch_size = 32\n[optim]\nlearning_rate = 5e-05\n");
  log("run",
      "{\"step\": 10, \"eval_loss\": 1, \"eval_runtime\": 1.5}\n{\"step\": 20, \"eval_loss\": 1, \"eval_runtime\": "
      "2.5}\n");
  summary("run", R"({"global_step": 20, "total_steps": 20, "exit_reason": "finished", "train_runtime": 16,
    "data": {"train": 2400, "validation": 600, "test": 3, "labels": {"a": 1500, "b": 900}},
    "test_metrics": {"loss": 0.5, "accuracy": 0.75, "details": {"labels": ["a", "b"], "confusion_matrix": [[1, 0], [1, 1]],
    "per_class": {"a": {"f1": 1, "support": 1}, "b": {"f1": 1, "support": 2}}}}})");
  const RunRecord record = read_run(directory.path("run"));
  std::vector<Fact> facts = results_of(record);
  const std::vector<Fact> more = circumstances_of(record);
  facts.insert(facts.end(), more.begin(), more.end());
  const auto told = [&](const char* name) {
    for (const Fact& fact : facts)
      if (fact.name == name) return fact.value + " | " + fact.note;
    return std::string();
  };
  EXPECT_EQ(told("baseline accuracy"), "0.3333 | always a");
  EXPECT_EQ(told("training rows"), "2,400 | 600 validation, 3 test");
  EXPECT_EQ(told("labels"), "2 | ");
  EXPECT_EQ(told("batch"), "32 | rows an update, of all ranks");
  EXPECT_TRUE(told("learning rate").starts_with("5e-05")) << told("learning rate");
  EXPECT_EQ(told("evaluation time"), "4.0s | 25.0 % of the training time");
}

std::string predicted(const char* label, double score, const char* reference, const char* text, int characters,
                      int line) {
  return nlohmann::json{{"label", label},           {"score", score},
                        {"reference", reference},   {"text", text},
                        {"characters", characters}, {"place", "a:b/test.jsonl:" + std::to_string(line)}}
             .dump() +
         "\n";
}

// The config names a test file that is not there: nobody reads it again.
TEST_F(RunReport, FindsErrorsByLengthAndTheSurestMistakes) {
  config("run");
  summary("run", R"({"test_metrics": {"accuracy": 0.5, "details": {"labels": ["a", "b"]}}})");
  directory.file("run/predictions.jsonl",
                 predicted("a", 0.95, "a", "äöü", 3, 1) + predicted("b", 0.6, "b", "12345", 5, 3) +
                     predicted("b", 0.8, "a", "äöü", 3, 4) + predicted("a", 0.995, "b", "<i>12…", 600, 5));
  const RowReview review = review_rows(read_run(directory.path("run")));
  ASSERT_EQ(review.rows, 4) << review.why_absent;
  ASSERT_EQ(review.surest.size(), 2u);
  EXPECT_EQ(review.surest[0].place, "a:b/test.jsonl:5");
  EXPECT_EQ(review.surest[0].guess, "a");
  EXPECT_EQ(review.surest[0].truth, "b");
  EXPECT_EQ(review.by_length.front().name, "3");
  EXPECT_EQ(review.by_length.front().rows, 2);
  EXPECT_EQ(review.by_length.front().right, 1);
  EXPECT_EQ(review.by_length.back().name, "600") << "of the whole text, not of its beginning";
  EXPECT_NE(page_of("run").find("title=\"a:b/test.jsonl:5\">5</td><td class=\"text\">&lt;i&gt;12…</td>"),
            std::string::npos);
}

TEST_F(RunReport, RefusesPredictionsThatAreNotThoseOfTheRun) {
  config("run");
  summary("run", R"({"test_metrics": {"accuracy": 1.0, "details": {"labels": ["a", "b"]}}})");
  directory.file("run/predictions.jsonl", predicted("a", 0.95, "b", "x", 1, 1));
  const RowReview review = review_rows(read_run(directory.path("run")));
  EXPECT_TRUE(review.by_length.empty());
  EXPECT_NE(review.why_absent.find("changed"), std::string::npos);
}

// As from a test file that was prepared without notes, or from another task.
TEST_F(RunReport, SaysWhyThereAreNoErrorsByLength) {
  config("run");
  directory.file("run/predictions.jsonl", "{\"label\": \"a\", \"score\": 0.95}\n");
  EXPECT_NE(page_of("run").find("Errors by length: predictions.jsonl has no texts and labels"), std::string::npos);
  directory.file("run/predictions.jsonl", "{\"value\": 0.95}\n");
  EXPECT_EQ(page_of("run").find("Errors by length"), std::string::npos);
  directory.file("run/predictions.jsonl",
                 "{\"label\": \"a\", \"reference\": 1, \"text\": 2, \"characters\": 3, \"place\": []}\n");
  EXPECT_NE(page_of("run").find("</html>"), std::string::npos);
}

TEST_F(RunReport, ComparesTheRunsOfAFolderByWhatDiffers) {
  config("sweep/trial-0", "[optim]\nlearning_rate = 1e-3\n");
  config("sweep/trial-1", "[optim]\nlearning_rate = 1e-2\n");
  summary("sweep/trial-0", kSummary);
  write_report({directory.path("sweep")}, directory.path("sweep/report.html"));
  const std::string page = read_file(directory.path("sweep/report.html"));
  EXPECT_NE(page.find("2 runs"), std::string::npos);
  EXPECT_NE(page.find("optim.learning_rate"), std::string::npos);
  EXPECT_EQ(page.find("data.text_column"), std::string::npos);
  EXPECT_EQ(page.find("http"), std::string::npos);
}

TEST(ReportNumbers, HaveTheDigitsThatMatter) {
  EXPECT_EQ(number_text(0.63818), "0.6382");
  EXPECT_EQ(number_text(412.3), "412.3");
  EXPECT_EQ(number_text(2e-5), "2.00e-05");
  EXPECT_EQ(number_text(1234567), "1,234,567");
  EXPECT_EQ(number_text(3), "3");
  EXPECT_EQ(metric_name("f1_weighted"), "F1 weighted");
  EXPECT_EQ(metric_name("accuracy"), "accuracy");
}

}  // namespace
}  // namespace sft
