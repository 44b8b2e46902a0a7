#include "trainer/tasks/text_classification/text_classification.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "support/given_model.h"
#include "trainer/tasks/blocks/cross_entropy.h"
#include "trainer/tasks/recipes/row_notes.h"
#include "trainer/tasks/tasks.h"

namespace sft {
namespace {

using testing::GivenModel;
constexpr int64_t kWidth = GivenModel::kWidth;
const std::vector<std::string> kTextLabels = {"admin", "games", "web"};

TaskSettings settings_of(const std::string& pooling = "auto") {
  return {.pooling = pooling, .labels = {.names = kTextLabels}, .dtype = at::kDouble, .seed = 5};
}

Batch batch_of(const std::vector<int64_t>& labels) {
  Batch batch(Schema{.columns = {{.name = "labels", .role = Role::target}}});
  for (size_t b = 0; b < labels.size(); ++b) {
    batch.ids.push_back(static_cast<int64_t>(b));
    batch.draws.push_back(100 + static_cast<int64_t>(b));
  }
  batch.weights.assign(labels.size(), 1.0f);
  batch.at("labels").set(labels);
  return batch;
}

// Sequences of 3, 1 and 2 tokens.
TextInputs three_sequences() {
  TextInputs inputs;
  inputs.host_offsets = {0, 3, 4, 6};
  inputs.draws_B = at::tensor(std::vector<int64_t>{7, 8, 9}, at::kLong);
  return inputs;
}

at::Tensor rows(int64_t count) { return at::sin(at::arange(count * kWidth, at::kDouble)).view({count, kWidth}); }

at::Tensor through_head(const Task& task, const at::Tensor& pooled) {
  const Parameters head = task.parameters();
  return at::linear(pooled, head[0].value, head[1].value);
}

TEST(TextClassification, PoolsAsItIsTold) {
  GivenModel with_pooler, without(false);
  const at::Tensor first = rows(3), all = rows(6);
  const at::Tensor means = at::stack({all.slice(0, 0, 3).mean(0), all[3], all.slice(0, 4, 6).mean(0)});
  const TextInputs inputs = three_sequences();
  struct Expected {
    const char* pooling;
    GivenModel* model;
    Reads reads;
    bool reads_pooler;
    at::Tensor pooled;
  };
  for (const auto& expected : {Expected{"auto", &with_pooler, Reads::first, true, at::tanh(first)},
                               Expected{"auto", &without, Reads::first, false, first},
                               Expected{"pooler", &with_pooler, Reads::first, true, at::tanh(first)},
                               Expected{"cls", &with_pooler, Reads::first, false, first},
                               Expected{"mean", &with_pooler, Reads::all, false, means}}) {
    const auto task = make_text_classification(settings_of(expected.pooling), *expected.model);
    EXPECT_EQ(task->reads(), expected.reads) << expected.pooling;
    EXPECT_EQ(task->reads_pooler(), expected.reads_pooler) << expected.pooling;
    const at::Tensor& features = task->reads() == Reads::all ? all : first;
    const at::Tensor logits = task->logits(*expected.model, features, inputs, Mode::evaluation);
    EXPECT_LT((logits - through_head(*task, expected.pooled)).abs().max().item<double>(), 1e-15) << expected.pooling;
  }
  EXPECT_THROW(make_text_classification(settings_of("pooler"), without), ConfigError);
}

TEST(TextClassification, BeginsWithTheHeadOfTransformersTheSameForASeed) {
  GivenModel model;
  const auto head = make_text_classification(settings_of(), model)->parameters();
  const auto again = make_text_classification(settings_of(), model)->parameters();
  ASSERT_EQ(head.size(), 2u);
  EXPECT_EQ(head[0].name, "classifier.weight");
  EXPECT_EQ(head[1].name, "classifier.bias");
  EXPECT_EQ(head[0].value.sizes(), at::IntArrayRef({3, kWidth}));
  EXPECT_EQ(head[1].value.abs().sum().item<double>(), 0.0);
  EXPECT_TRUE(head[0].decays);
  EXPECT_FALSE(head[1].decays);
  EXPECT_EQ(head[0].stage, 6);
  EXPECT_NEAR(head[0].value.std().item<double>(), 0.02, 0.01);
  EXPECT_TRUE(at::equal(head[0].value, again[0].value));
  TaskSettings other = settings_of();
  other.seed = 6;
  EXPECT_FALSE(at::equal(head[0].value, make_text_classification(other, model)->parameters()[0].value));
}

TEST(TextClassification, DropsByDrawAndOnlyInTraining) {
  GivenModel model(true, 0.5);
  TaskSettings settings = settings_of("cls"), other = settings;
  settings.dropout_seed = 1;
  other.dropout_seed = 2;
  const auto task = make_text_classification(settings, model), other_seed = make_text_classification(other, model);
  const at::Tensor same = at::ones({3, kWidth}, at::kDouble);
  TextInputs inputs = three_sequences();
  const auto logits = [&](LogitsTask& asked, Mode mode) { return asked.logits(model, same, inputs, mode).detach(); };
  EXPECT_TRUE(at::equal(logits(*task, Mode::evaluation), through_head(*task, same).detach()));

  const at::Tensor dropped = logits(*task, Mode::training);
  EXPECT_FALSE(at::equal(dropped, through_head(*task, same).detach()));
  EXPECT_TRUE(at::equal(dropped, logits(*task, Mode::training))) << "a mask is a function of its key";
  inputs.draws_B = inputs.draws_B.flip(0);
  EXPECT_TRUE(at::equal(dropped.flip(0), logits(*task, Mode::training)))
      << "the mask goes with the draw, not with the row";
  EXPECT_FALSE(at::equal(dropped.flip(0), logits(*other_seed, Mode::training)));
  EXPECT_TRUE(at::equal(logits(*task, Mode::evaluation), through_head(*task, same).detach()));
}

TEST(TextClassification, DividesByWhatItSaysBeforeAnyForward) {
  GivenModel model;
  TaskSettings settings = settings_of();
  settings.loss.class_weights = {"", {{"games", 3.0}}};
  settings.loss.label_smoothing_factor = 0.1;
  const auto task = make_text_classification(settings, model);
  Batch batch = batch_of({1, kIgnoredLabel, 0});
  batch.weights = {0.5f, 7.0f, 2.0f};
  const at::Tensor logits = rows(3).slice(1, 0, 3).contiguous();
  EXPECT_EQ(task->weight(batch), 0.5 * 3.0 + 2.0);
  const at::Tensor expected = cross_entropy_sum(logits, view_of(batch, "labels"), at::tensor({1.0, 3.0, 1.0}),
                                                at::tensor({0.5, 7.0, 2.0}), 0.1);
  EXPECT_NEAR(task->loss_of(logits, batch).item<double>(), expected.item<double>(), 1e-14);
}

// Smoothing and weights shape the training loss; evaluation tells the plain mean over real targets.
TEST(TextClassification, EvaluatesThePlainMeanOverRealTargetsWhateverTheCut) {
  GivenModel model;
  TaskSettings settings = settings_of();
  settings.loss.class_weights = {"", {{"games", 3.0}}};
  settings.loss.label_smoothing_factor = 0.3;
  const auto task = make_text_classification(settings, model);
  const at::Tensor logits = rows(5).slice(1, 0, 3).contiguous() * 4;
  const std::vector<int64_t> labels = {2, 0, kIgnoredLabel, 1, 0};

  Statistics whole = task->empty_statistics(), summed = task->empty_statistics();
  Batch batch = batch_of(labels);
  batch.weights.assign(5, 9.0f);
  task->accumulate(logits, batch, whole);
  for (int64_t b = 0; b < 5; ++b) {
    Statistics one = task->empty_statistics();
    task->accumulate(logits.slice(0, b, b + 1), batch_of({labels[static_cast<size_t>(b)]}), one);
    for (size_t i = 0; i < one.counts.size(); ++i) summed.counts[i] += one.counts[i];
  }
  const double expected = at::cross_entropy_loss(logits, at::tensor(labels, at::kLong)).item<double>();
  const double expected_accuracy = logits.argmax(1).eq(at::tensor(labels, at::kLong)).sum().item<double>() / 4.0;
  for (const Statistics& total : {whole, summed}) {
    const auto metrics = task->metrics(total);
    EXPECT_EQ(metrics.begin().key(), "loss");
    EXPECT_NEAR(metrics["loss"].get<double>(), expected, 1e-14);
    EXPECT_DOUBLE_EQ(metrics["accuracy"].get<double>(), expected_accuracy);
    EXPECT_TRUE(metrics.contains(task->default_metric()));
  }
  EXPECT_EQ(task->details(whole)["labels"].size(), 3u);
}

TEST(TextClassification, PredictsLabelScoreAndTheScoresOfAllClassesInOrder) {
  GivenModel model;
  const auto task = make_text_classification(settings_of(), model);
  const at::Tensor logits = at::tensor({0.0, std::log(3.0), 0.0, 5.0, 0.0, 0.0}).view({2, 3});
  const auto lines = task->predictions(logits, {});
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].rfind("{\"label\":\"games\",\"score\":", 0), 0u) << lines[0];
  const auto row = nlohmann::ordered_json::parse(lines[0]);
  EXPECT_NEAR(row["score"].get<double>(), 0.6, 1e-6);
  std::vector<std::string> order;
  for (const auto& [name, score] : row["scores"].items()) order.push_back(name);
  EXPECT_EQ(order, kTextLabels);
  EXPECT_NEAR(row["scores"]["web"].get<double>(), 0.2, 1e-6);
  EXPECT_EQ(nlohmann::json::parse(lines[1])["label"], "admin");
}

TEST(TextClassification, PredictionsOfNotedRowsTellTheirTextsAndLabels) {
  Schema schema{.columns = {{.name = "labels", .role = Role::target}}};
  schema.columns.insert(schema.columns.end(), row_notes().begin(), row_notes().end());
  const std::string file = "t.jsonl";
  Batch batch(schema);
  Row row;
  row.file = &file;
  for (const auto& [label, text] : {std::pair<int64_t, const char*>{2, "é"}, {0, "b\xff"}}) {
    ++row.line;
    Sample sample(schema);
    sample.cells[0].set(label);
    put_row_notes({.row = &row, .single = text, .pair = "cd"}, schema, sample);
    batch.append(sample);
  }
  GivenModel model;
  const auto task = make_text_classification(settings_of(), model);
  const auto lines = task->predictions(at::zeros({2, 3}, at::kDouble), batch);
  const auto first = nlohmann::ordered_json::parse(lines[0]), second = nlohmann::ordered_json::parse(lines[1]);
  StringList keys;
  for (const auto& [key, value] : first.items()) keys.push_back(key);
  EXPECT_EQ(keys, (StringList{"label", "score", "scores", "reference", "text", "characters", "place"}));
  EXPECT_EQ(first["reference"], "web");
  EXPECT_EQ(first["text"], "é");
  EXPECT_EQ(first["characters"], 3);
  EXPECT_EQ(second["reference"], "admin");
  EXPECT_EQ(second["text"], "b\uFFFD") << "bytes that are no text break no line";
  EXPECT_EQ(second["place"], "t.jsonl:2");
}

TEST(TextClassification, DescribesItsLabelsAsTransformersReadsThem) {
  GivenModel model;
  nlohmann::json config = {{"num_labels", 2}, {"hidden_size", kWidth}};
  make_text_classification(settings_of(), model)->describe(config);
  EXPECT_EQ(config["id2label"], (nlohmann::json{{"0", "admin"}, {"1", "games"}, {"2", "web"}}));
  EXPECT_EQ(config["label2id"], (nlohmann::json{{"admin", 0}, {"games", 1}, {"web", 2}}));
  EXPECT_EQ(config["problem_type"], "single_label_classification");
  EXPECT_FALSE(config.contains("num_labels"));
  EXPECT_EQ(config["hidden_size"], kWidth);
}

// The config.json of a model that this program has exported says how that one pooled.
TEST(TextClassification, DescribesItsOwnPoolingAlone) {
  GivenModel model(false);
  const auto described = [&](const std::string& pooling) {
    nlohmann::json config = {{"sft_dist_pooling", "pooler"}};
    make_text_classification(settings_of(pooling), model)->describe(config);
    return config.value("sft_dist_pooling", "none");
  };
  EXPECT_EQ(described("cls"), "none");
  EXPECT_EQ(described("mean"), "mean");
}

TEST(TextClassification, RefusesASingleLabelAndAnUnknownTask) {
  GivenModel model;
  TaskSettings settings = settings_of();
  settings.labels.names = {"only"};
  EXPECT_THROW(make_text_classification(settings, model), ConfigError);
  EXPECT_THROW(make_task("text_clasification", settings_of(), model), ConfigError);
}

}  // namespace
}  // namespace sft
