// Labels of words: what counts, what is scored, what is predicted. Loss and gradients are compared with transformers in
// tests/parity/token_classification.py, entities with seqeval in tests/trainer/metrics.
#include "trainer/tasks/token_classification/token_classification.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "support/given_model.h"
#include "trainer/tasks/blocks/cross_entropy.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

using testing::GivenModel;
constexpr int64_t kHiddenWidth = GivenModel::kWidth;
const std::vector<std::string> kTagsOfWords = {"B-A", "I-A", "O"};

std::unique_ptr<LogitsTask> task_of(std::vector<std::string> names = kTagsOfWords) {
  TaskSettings settings;
  settings.labels.names = std::move(names);
  settings.dtype = at::kDouble;
  return make_token_classification(settings, GivenModel(true, 0.5));
}

// Two sequences of 4 and 3 tokens.
Batch two_sequences(const std::vector<int32_t>& labels) {
  Batch batch(Schema{.columns = {{.name = "labels", .number = Number::int32, .axis = "token", .role = Role::target}},
                     .units = {"token"}});
  batch.axes[0] = {0, 4, 7};
  batch.ids = {0, 1};
  batch.draws = {5, 9};
  batch.weights = {1.0f, 0.5f};
  batch.at("labels").set(labels);
  return batch;
}

// Logits whose largest is at `guesses`.
at::Tensor sure_of(const std::vector<int64_t>& guesses, int64_t num_labels) {
  return at::one_hot(at::tensor(guesses, at::kLong), num_labels).to(at::kDouble) * 3;
}

TEST(TokenClassification, WeighsEachTargetWithItsSample) {
  const auto task = task_of();
  const Batch batch = two_sequences({kIgnoredLabel, 0, 1, kIgnoredLabel, 2, kIgnoredLabel, 2});
  EXPECT_EQ(task->weight(batch), 2 * 1.0 + 2 * 0.5);
  const at::Tensor logits = at::sin(at::arange(21, at::kDouble)).view({7, 3});
  const at::Tensor each = -at::log_softmax(logits, 1);
  const double expected = each[1][0].item<double>() + each[2][1].item<double>() +
                          0.5 * (each[4][2].item<double>() + each[6][2].item<double>());
  EXPECT_NEAR(task->loss_of(logits, batch).item<double>(), expected, 1e-14);
}

TEST(TokenClassification, ScoresWordsAndEntitiesAndNotTheTokensBetween) {
  const auto task = task_of();
  const Batch batch = two_sequences({kIgnoredLabel, 0, 1, 2, 0, kIgnoredLabel, 1});
  Statistics total = task->empty_statistics();
  // One of two entities is found, and another one where there is none; tokens without target say nonsense.
  task->accumulate(sure_of({0, 0, 1, 0, 0, 2, 2}, 3), batch, total);
  const auto metrics = task->metrics(total);
  EXPECT_EQ(metrics.begin().key(), "loss");
  EXPECT_EQ(task->default_metric(), "f1");
  EXPECT_DOUBLE_EQ(metrics["accuracy"].get<double>(), 3.0 / 5.0);
  EXPECT_DOUBLE_EQ(metrics["precision"].get<double>(), 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(metrics["recall"].get<double>(), 0.5);
  EXPECT_EQ(task->details(total)["per_type"]["A"]["support"], 2);
}

TEST(TokenClassification, OfTagsThatAreNoEntitiesTellsTheAccuracy) {
  const auto task = task_of({"NOUN", "VERB"});
  EXPECT_EQ(task->default_metric(), "accuracy");
  EXPECT_FALSE(task->metrics(task->empty_statistics()).contains("f1"));
}

TEST(TokenClassification, PredictsOneTagAWordForEachRow) {
  const auto task = task_of();
  const Batch batch = two_sequences({kIgnoredLabel, 0, kIgnoredLabel, 0, kIgnoredLabel, kIgnoredLabel, kIgnoredLabel});
  const auto rows = task->predictions(sure_of({2, 0, 2, 1, 2, 2, 2}, 3), batch);
  ASSERT_EQ(rows.size(), 2u);
  const auto first = nlohmann::json::parse(rows[0]);
  EXPECT_EQ(first["tags"], (nlohmann::json{"B-A", "I-A"}));
  EXPECT_NEAR(first["scores"][0].get<double>(), std::exp(3.0) / (std::exp(3.0) + 2), 1e-12);
  EXPECT_EQ(rows[1], R"({"tags":[],"scores":[]})");
}

TEST(TokenClassification, TellsNoLogitsOfSamplesEvenOfOneTokenEach) {
  const auto task = task_of();
  GivenModel model;
  Batch batch = two_sequences({0, 2});
  batch.axes[0] = {0, 1, 2};
  TextInputs inputs;
  inputs.draws_N = inputs.positions_N = at::zeros({2}, at::kLong);
  std::vector<std::string> lines;
  task->observe(model, at::ones({2, kHiddenWidth}, at::kDouble), inputs, batch, {.predictions = &lines, .logits = true});
  ASSERT_EQ(lines.size(), 2u);
  for (const std::string& line : lines) EXPECT_FALSE(nlohmann::json::parse(line).contains("logits")) << line;
}

TEST(TokenClassification, DropsByTokenAndOnlyInTraining) {
  const auto task = task_of();
  GivenModel model(true, 0.5);
  TextInputs inputs;
  inputs.draws_N = at::tensor(std::vector<int64_t>{5, 5, 9}, at::kLong);
  inputs.positions_N = at::tensor(std::vector<int64_t>{0, 1, 0}, at::kLong);
  const at::Tensor same = at::ones({3, kHiddenWidth}, at::kDouble);
  const auto logits = [&](Mode mode) { return task->logits(model, same, inputs, mode).detach(); };
  const at::Tensor evaluated = logits(Mode::evaluation);
  EXPECT_TRUE(at::equal(evaluated[0], evaluated[1]));
  const at::Tensor dropped = logits(Mode::training);
  EXPECT_FALSE(at::equal(dropped[0], dropped[1]));
  inputs.draws_N = inputs.draws_N.flip(0).contiguous();
  inputs.positions_N = inputs.positions_N.flip(0).contiguous();
  EXPECT_TRUE(at::equal(dropped.flip(0), logits(Mode::training)))
      << "the mask goes with draw and position, not with the row";
}

TEST(TokenClassification, RefusesWhatItCannotRead) {
  EXPECT_THROW(task_of({"O"}), ConfigError);
  TaskSettings settings;
  settings.labels.names = kTagsOfWords;
  settings.pooling = "mean";
  EXPECT_THROW(make_token_classification(settings, GivenModel(true, 0.5)), ConfigError);
}

}  // namespace
}  // namespace sft
