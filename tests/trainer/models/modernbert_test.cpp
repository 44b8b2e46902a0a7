// ModernBERT's names, config and refusals; what it shares with others is in text_models_test.cpp.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/errors.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::batch_of;
using testing::distance;
using testing::forward;
using testing::small_config;
using testing::small_model;

at::Tensor rows_of(const nlohmann::json& config) {
  const auto model = make_model(config, {.dtype = at::kDouble, .seed = 5});
  return forward(*model, to_device(batch_of({30, 9}), at::kCPU), Mode::evaluation).detach();
}

TEST(ModernBert, NamesAndHeadsAreThoseOfTransformers) {
  const auto model = small_model("modernbert");
  const Parameters parameters = model->parameters();
  ASSERT_EQ(parameters.size(), 2u + 3 * 6 - 1 + 1) << "no biases, and no norm in front of the first attention";
  EXPECT_EQ(parameters[0].name, "model.embeddings.tok_embeddings.weight");
  EXPECT_EQ(parameters[1].name, "model.embeddings.norm.weight");
  EXPECT_EQ(parameters[2].name, "model.layers.0.attn.Wqkv.weight");
  EXPECT_EQ(parameters[7].name, "model.layers.1.attn_norm.weight");
  EXPECT_EQ(parameters.back().name, "model.final_norm.weight");
  EXPECT_EQ(parameters.back().stage, 3);
  EXPECT_FALSE(parameters.back().decays);
  for (const HeadShape& head : {model->sequence_head(), model->token_head(), model->output_head("out")}) {
    EXPECT_EQ(head.hidden, "head.dense");
    EXPECT_FALSE(head.hidden_has_bias);
    EXPECT_EQ(head.norm->name, "head.norm");
    EXPECT_EQ(head.output, "classifier");
    EXPECT_EQ(head.dropout, 0.1);
    EXPECT_NEAR(*head.hidden_deviation, 0.3 / std::sqrt(6), 1e-12);
    EXPECT_NEAR(*head.output_deviation, 1 / std::sqrt(20), 1e-12);
  }
  EXPECT_EQ(model->canonical("layers.1.mlp.Wi.weight"), "model.layers.1.mlp.Wi.weight");
  EXPECT_EQ(model->canonical("head.dense.weight"), "head.dense.weight");
  EXPECT_EQ(model->architecture("ForQuestionAnswering"), "ModernBertForQuestionAnswering");
  EXPECT_EQ(model->text_limits()->num_segments, 0);
  EXPECT_THROW(model->architecture("ForCausalLM"), ConfigError);
}

TEST(ModernBert, ReadsWhatTheConfigSaysStandsForAText) {
  nlohmann::json config = small_config("modernbert");
  EXPECT_EQ(make_model(config, {.seed = 0})->sequence_head().reads, Reads::first);
  config["classifier_pooling"] = "mean";
  EXPECT_EQ(make_model(config, {.seed = 0})->sequence_head().reads, Reads::all);
  EXPECT_EQ(make_model(config, {.seed = 0})->sequence_head().pooling_key, "classifier_pooling");
}

TEST(ModernBert, OldAndNewFilesSayTheSame) {
  nlohmann::json old = small_config("modernbert"), fresh = old;
  old.update({{"global_rope_theta", 500.0}, {"local_rope_theta", 70.0}});
  fresh.erase("global_attn_every_n_layers");
  fresh["layer_types"] = {"full_attention", "sliding_attention", "full_attention"};
  fresh["rope_parameters"] = {{"full_attention", {{"rope_type", "default"}, {"rope_theta", 500.0}}},
                              {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 70.0}}}};
  EXPECT_TRUE(rows_of(old).equal(rows_of(fresh)));
  const at::Tensor usual = rows_of(small_config("modernbert"));
  EXPECT_GT(distance(rows_of(old), usual), 1e-3) << "both bases are looked at";
  fresh["rope_parameters"]["sliding_attention"]["rope_theta"] = 10000.0;
  EXPECT_GT(distance(rows_of(fresh), rows_of(old)), 1e-3);
  fresh["layer_types"][0] = "sliding_attention";
  EXPECT_GT(distance(rows_of(fresh), rows_of(old)), 1e-3);
}

TEST(ModernBert, WhatIsNotBuiltIsRefusedByName) {
  const auto refused = [](const char* key, const nlohmann::json& value, const char* part) {
    testing::expect_refused("modernbert", key, value, part);
  };
  refused("hidden_size", 22, "hidden_size must be an even multiple of num_attention_heads (2), found 22");
  refused("hidden_activation", "geluu", "hidden_activation = 'geluu' is not built");
  refused("classifier_pooling", "max", "classifier_pooling must be \"cls\" or \"mean\", found \"max\"");
  refused("local_attention", 1, "local_attention must be an integer from 2");
  refused("global_attn_every_n_layers", 0, "global_attn_every_n_layers must be an integer from 1");
  refused("layer_types", {"full_attention"}, "layer_types must be a list of num_hidden_layers (3) names");
  refused("layer_types", {"full_attention", "linear_attention", "full_attention"},
          "layer_types must be full_attention or sliding_attention everywhere");
  refused("global_rope_theta", 0, "global_rope_theta must be a number above 0, found 0");
  refused("rope_parameters", {{"rope_type", "default"}, {"full_attention", 3}},
          "rope_parameters must be an object with a rule for each of full_attention and sliding_attention");
  refused("rope_parameters", {{"sliding_attention", {{"rope_type", "yarn"}}}},
          "rope_parameters must be of rope_type default, linear or llama3");
  refused("rope_scaling", {{"rope_type", "linear"}}, "rope_scaling must be absent");
  refused("attention_dropout", 1.0, "attention_dropout must be a rate from 0 to below 1, found 1.0");
  refused("pad_token_id", 50, "pad_token_id must be below vocab_size (50)");
}

}  // namespace
}  // namespace sft
