// Weights, losses and scores of language models are sums over trained tokens, whatever the cut; against torch's
// cross_entropy of the whole logits.
#include "trainer/tasks/causal_lm/causal_lm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "support/given_model.h"
#include "trainer/tasks/causal_lm/rows/columns.h"

namespace sft {
namespace {

using testing::GivenModel;

struct ChatRow {
  std::vector<int32_t> tokens, spans;
  float weight = 1;
};

// The last row begins with a trained token, which nothing foretells; the one before has none.
const std::vector<ChatRow> kRows = {{{3, 5, 7, 2, 9}, {1, 3, 4, 5}, 0.5f}, {{4, 4, 4}, {}, 1}, {{8, 1, 6}, {0, 2}, 2}};

Batch batch_of_rows(const std::vector<ChatRow>& rows) {
  const Schema schema = causal::sample_schema(10, 0);
  Batch batch(schema);
  Sample sample(schema);
  for (const ChatRow& row : rows) {
    sample.cells[0].set(row.tokens);
    sample.cells[1].set(row.spans);
    sample.weight = row.weight;
    sample.row = batch.size();
    batch.ids.push_back(batch.size());
    batch.draws.push_back(batch.size());
    batch.append(sample);
  }
  return batch;
}

class CausalLm : public ::testing::Test {
 protected:
  CausalLm() { task = make_causal_lm({.dtype = at::kDouble, .seed = 3}, model); }

  // Of the rows that are read: any features do.
  at::Tensor features(const Batch& batch) const {
    const auto count = static_cast<int64_t>(task->target_rows(batch).size());
    return at::arange(count * GivenModel::kWidth, at::kDouble).sin().view({count, GivenModel::kWidth});
  }
  at::Tensor head() const { return task->parameters()[0].value; }

  GivenModel model{int64_t{10}};
  std::unique_ptr<Task> task;
};

TEST_F(CausalLm, ReadsTheRowBeforeEachTrainedToken) {
  const Batch batch = batch_of_rows(kRows);
  EXPECT_EQ(task->target_rows(batch), (std::vector<int64_t>{0, 1, 3, 8}));
  EXPECT_EQ(task->weights(batch), (Weights{3 * 0.5 + 1 * 2.0}));
}

TEST_F(CausalLm, LossIsTheWeightedCrossEntropyOfTheNextToken) {
  const Batch batch = batch_of_rows(kRows);
  const at::Tensor x = features(batch), targets = at::tensor({5, 7, 9, 1}, at::kLong),
                   weights = at::tensor({0.5, 0.5, 0.5, 2.0}, at::kDouble);
  const at::Tensor expected =
      (at::cross_entropy_loss(at::linear(x, head()), targets, {}, at::Reduction::None) * weights).sum();
  EXPECT_NEAR(task->loss_sum(model, x, TextInputs{}, batch, {3.5}).item<double>(), expected.item<double>(), 1e-12);
}

TEST_F(CausalLm, ScoresAreSumsOverTokensWhateverTheCut) {
  const Batch whole = batch_of_rows(kRows);
  const at::Tensor x = features(whole);
  Statistics all = task->empty_statistics(), parts = task->empty_statistics();
  task->observe(model, x, TextInputs{}, whole, {&all, nullptr});
  int64_t row = 0;
  for (const ChatRow& one : kRows) {
    const Batch batch = batch_of_rows({one});
    const auto count = static_cast<int64_t>(task->target_rows(batch).size());
    task->observe(model, x.narrow(0, row, count), TextInputs{}, batch, {&parts, nullptr});
    row += count;
  }
  const auto metrics = task->metrics(all), of_parts = task->metrics(parts);
  const at::Tensor losses = at::cross_entropy_loss(at::linear(x, head()), at::tensor({5, 7, 9, 1}, at::kLong));
  EXPECT_NEAR(metrics["loss"], losses.item<double>(), 1e-12) << "of tokens alike, whatever their rows weigh";
  EXPECT_NEAR(metrics["perplexity"], std::exp(losses.item<double>()), 1e-10);
  const int64_t right = at::linear(x, head()).argmax(1).eq(at::tensor({5, 7, 9, 1}, at::kLong)).sum().item<int64_t>();
  EXPECT_EQ(metrics["token_accuracy"].get<double>(), static_cast<double>(right) / 4);
  for (const auto& [name, value] : metrics.items())
    EXPECT_NEAR(value.get<double>(), of_parts[name].get<double>(), 1e-12) << name;
}

TEST_F(CausalLm, TellsTheLossOfEachRowThatHasOne) {
  const Batch batch = batch_of_rows(kRows);
  std::vector<std::string> rows;
  task->observe(model, features(batch), TextInputs{}, batch, {nullptr, &rows});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1], "{}");
  EXPECT_GT(nlohmann::json::parse(rows[0])["loss"].get<double>(), 0);
}

// A chat is asked for its last answer alone; a row without an answer, as predict reads it, is a prompt as it stands.
TEST_F(CausalLm, GoesOnFromWhatStandsBeforeTheLastSpan) {
  const Batch batch = batch_of_rows(kRows);
  const Generating& generating = *task->generating();
  EXPECT_EQ(generating.prompt(batch, 0).tokens, (std::vector<int32_t>{3, 5, 7, 2}));
  EXPECT_EQ(generating.prompt(batch, 1).tokens, (std::vector<int32_t>{4, 4, 4}));
  EXPECT_TRUE(generating.prompt(batch, 2).tokens.empty());
}

TEST(CausalLmSettings, RefuseWhatIsForOtherTasks) {
  const GivenModel model{int64_t{10}}, encoder;
  EXPECT_THROW(make_causal_lm({}, encoder), ConfigError);
  EXPECT_THROW(make_causal_lm({.pooling = "mean"}, model), ConfigError);
  EXPECT_THROW(make_causal_lm({.loss = {.kind = "focal"}}, model), ConfigError);
}

}  // namespace
}  // namespace sft
