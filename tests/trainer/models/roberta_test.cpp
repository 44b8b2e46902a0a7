// RoBERTa's names, positions, config and refusals; what it shares with others is in text_models_test.cpp.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::batch_of;
using testing::distance;
using testing::small_config;
using testing::small_model;

constexpr int64_t kPadding = 1;

at::Tensor value_of(const Model& model, const std::string& name) {
  for (const Parameter& parameter : model.parameters())
    if (parameter.name == name) return parameter.value;
  ADD_FAILURE() << "no parameter " << name;
  return {};
}

const std::string kPositions = "roberta.embeddings.position_embeddings.weight";

// Which rows of the position table two texts of 3 and 2 tokens looked up: those that got a gradient.
std::vector<int64_t> rows_looked_up(Model& model, const std::vector<int32_t>& tokens) {
  Batch batch = batch_of({3, 2});
  batch.at("tokens").set(tokens);
  const at::Tensor table = value_of(model, kPositions);
  table.mutable_grad() = at::Tensor();
  const at::Tensor rows = testing::forward(model, to_device(batch, at::kCPU), Mode::evaluation);
  (rows * testing::drawn(rows.sizes(), 3)).sum().backward();
  std::vector<int64_t> seen;
  for (int64_t row = 0; row < table.size(0); ++row)
    if (table.grad()[row].abs().sum().item<double>() > 0) seen.push_back(row);
  return seen;
}

TEST(Roberta, CountsPositionsFromBehindThePaddingsRow) {
  const auto model = small_model("roberta");
  EXPECT_EQ(rows_looked_up(*model, {7, 8, 9, 10, 11}), (std::vector<int64_t>{2, 3, 4}));
  EXPECT_EQ(model->text_limits()->max_positions, 40) << "of 42 rows";
  EXPECT_NO_THROW(testing::forward(*model, to_device(batch_of({40}), at::kCPU), Mode::evaluation));
}

// As transformers' create_position_ids_from_input_ids, which tests/parity/roberta.py compares too.
TEST(Roberta, APaddingTokenInATextStandsAtThePaddingsRowAndOthersMoveUp) {
  const auto model = small_model("roberta");
  EXPECT_EQ(rows_looked_up(*model, {7, kPadding, 9, kPadding, 11}), (std::vector<int64_t>{2, 3}));
}

TEST(Roberta, PaddingRowsStartAtZero) {
  const auto model = small_model("roberta");
  EXPECT_EQ(value_of(*model, kPositions)[kPadding].abs().sum().item<double>(), 0.0);
  EXPECT_EQ(value_of(*model, "roberta.embeddings.word_embeddings.weight")[kPadding].abs().sum().item<double>(), 0.0);
}

TEST(Roberta, NamesAndHeadsAreThoseOfTransformers) {
  const auto model = small_model("roberta");
  EXPECT_EQ(model->parameters().size(), 5u + 3 * 16) << "no pooler";
  EXPECT_FALSE(model->has_pooler());
  EXPECT_EQ(model->parameters()[5].name, "roberta.encoder.layer.0.attention.self.query.weight");
  const HeadShape head = model->sequence_head();
  EXPECT_EQ(head.hidden, "classifier.dense");
  EXPECT_EQ(head.output, "classifier.out_proj");
  EXPECT_EQ(head.input_dropout, 0.2);
  EXPECT_EQ(head.dropout, 0.2);
  EXPECT_EQ(model->token_head().hidden, "");
  EXPECT_EQ(model->token_head().output, "classifier");
  EXPECT_EQ(model->canonical("encoder.layer.1.output.dense.bias"), "roberta.encoder.layer.1.output.dense.bias");
  EXPECT_EQ(model->canonical("lm_head.bias"), "lm_head.bias");
}

TEST(Roberta, XlmRobertaAndCamembertAreTheSameNetworkUnderTheirOwnNames) {
  const auto roberta = small_model("roberta");
  const Inputs inputs = to_device(batch_of({5, 9}), at::kCPU);
  for (const auto& [type, architecture] : {std::pair{"roberta", "RobertaForSequenceClassification"},
                                           {"xlm-roberta", "XLMRobertaForSequenceClassification"},
                                           {"camembert", "CamembertForSequenceClassification"}}) {
    const auto model = small_model(type);
    EXPECT_EQ(model->architecture("ForSequenceClassification"), architecture);
    EXPECT_TRUE(
        testing::forward(*model, inputs, Mode::evaluation).equal(testing::forward(*roberta, inputs, Mode::evaluation)))
        << type;
  }
}

TEST(Roberta, WhatIsNotBuiltIsRefusedByName) {
  testing::expect_refused("roberta", "pad_token_id", nullptr,
                          "pad_token_id must be an integer from 0 to 16777216, found null");
  testing::expect_refused("roberta", "max_position_embeddings", 2,
                          "max_position_embeddings must be an integer from 3 to 16777216, found 2");
  testing::expect_refused("roberta", "position_embedding_type", "relative_key",
                          "position_embedding_type must be \"absolute\"");
  testing::expect_refused("roberta", "is_decoder", true, "is_decoder must be false");
}

TEST(Roberta, ConfigComesBackWithItsDefaults) {
  const auto model = make_model({{"model_type", "roberta"}, {"num_hidden_layers", 1}, {"vocab_size", 10}}, {.seed = 0});
  EXPECT_EQ(model->config()["pad_token_id"], 1);
  EXPECT_EQ(model->config()["type_vocab_size"], 2);
  EXPECT_EQ(model->config()["layer_norm_eps"], 1e-12);
}

}  // namespace
}  // namespace sft
