// Names, configs, refusals and what a token sees in the decoders; what they share with encoders is in
// text_models_test.cpp, and their values are compared with transformers' in tests/parity.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "trainer/learner/stages.h"
#include "trainer/models/decoding_inputs.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using nlohmann::json;
using testing::batch_of;
using testing::distance;
using testing::by_name;
using testing::expect_refused;
using testing::small_config;
using testing::small_model;

at::Tensor rows_of(const json& config, const Batch& batch) {
  const auto model = make_model(config, {.dtype = at::kDouble, .seed = 5});
  return testing::forward(*model, to_device(batch, at::kCPU), Mode::evaluation).detach();
}

// The rows that differ when token `changed` of a sequence of 12 does.
std::vector<int64_t> rows_that_see(const json& config, int64_t changed) {
  const auto model = make_model(config, {.dtype = at::kDouble, .seed = 5});
  const Batch before = batch_of({12});
  Batch after = before;
  std::vector<int32_t> tokens(before.at("tokens").as<int32_t>().begin(), before.at("tokens").as<int32_t>().end());
  tokens[static_cast<size_t>(changed)] = tokens[static_cast<size_t>(changed)] % 40 + 5;
  after.at("tokens").set(tokens);
  const auto run = [&](const Batch& batch) {
    return testing::forward(*model, to_device(batch, at::kCPU), Mode::evaluation).detach();
  };
  const at::Tensor moved = (run(before) - run(after)).abs().sum(1);
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < 12; ++row)
    if (moved[row].item<double>() > 1e-12) rows.push_back(row);
  return rows;
}

TEST(Decoders, ATokenSeesThoseBeforeIt) {
  for (const char* type : {"llama", "qwen2", "qwen3", "gpt2"}) {
    EXPECT_EQ(rows_that_see(small_config(type), 9), (std::vector<int64_t>{9, 10, 11})) << type;
    EXPECT_EQ(rows_that_see(small_config(type), 0).size(), 12u) << type;
  }
}

// A window of 2 is a token and the one before it; three blocks look three tokens back.
TEST(Decoders, MistralsWindowCountsTheTokenItself) {
  json config = small_config("mistral");
  config["sliding_window"] = 2;
  EXPECT_EQ(rows_that_see(config, 4), (std::vector<int64_t>{4, 5, 6, 7}));
}

// Prompts of different lengths in slots of any order, then some more tokens in steps of one and of several.
TEST(Decoders, GoOnOverKeptKeysAndValuesAsOverTheWholeText) {
  const at::NoGradGuard no_graph;
  const std::vector<int32_t> first{5, 9, 31, 7, 44, 12, 8, 30, 2, 19, 6, 41}, second{17, 3, 25, 11, 40, 21, 33, 14};
  for (const char* type : {"llama", "mistral", "qwen2", "qwen3", "gpt2"}) {
    const auto model = small_model(type);
    const auto last_row = [&](const std::vector<int32_t>& tokens, size_t count) {
      Batch batch = batch_of({static_cast<int64_t>(count)});
      batch.at("tokens").set(std::vector<int32_t>(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(count)));
      return testing::forward(*model, to_device(batch, at::kCPU, {Reads::last}), Mode::evaluation);
    };
    KeyValueCache cache(3, 20);
    const auto step = [&](size_t a, size_t a_end, size_t b, size_t b_end) {
      const auto part = [](const std::vector<int32_t>& all, size_t begin, size_t end) {
        return std::vector<int32_t>(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                    all.begin() + static_cast<std::ptrdiff_t>(end));
      };
      const std::vector<NextTokens> next{{2, static_cast<int64_t>(a), part(first, a, a_end)},
                                         {0, static_cast<int64_t>(b), part(second, b, b_end)}};
      const at::Tensor rows = Stages(*model).forward(decoding_inputs(next, cache, at::kCPU), Mode::evaluation);
      EXPECT_LT(distance(rows, at::cat({last_row(first, a_end), last_row(second, b_end)})), 1e-12) << type << a_end;
    };
    step(0, 9, 0, 3);
    step(9, 10, 3, 4);
    step(10, 12, 4, 8);
  }
}

TEST(Decoders, MultiplyNarrowlyAndFollowTheirWeights) {
  const Inputs inputs = to_device(batch_of({12, 5}), at::kCPU);
  for (const char* type : {"llama", "qwen2", "qwen3", "gpt2"}) {
    const auto wide = make_model(small_config(type), {.seed = 5}),
               narrow = make_model(small_config(type), {.compute_type = at::kBFloat16, .seed = 5});
    const auto run = [&](Model& model) { return testing::forward(model, inputs, Mode::evaluation).detach(); };
    const double rounding = distance(run(*narrow), run(*wide));
    EXPECT_GT(rounding, 1e-4) << type << ": nothing was rounded";
    EXPECT_LT(rounding, 0.05) << type;
    for (const auto& model : {std::cref(*wide), std::cref(*narrow)})
      for (const Parameter& parameter : model.get().parameters())
        if (parameter.decays) parameter.value.detach().mul_(1.5);
    EXPECT_LT(distance(run(*narrow), run(*wide)), 0.1) << type << ": the copies are of weights that have moved";
  }
}

TEST(Decoders, NamesAreThoseOfTransformers) {
  const auto llama = by_name(*small_model("llama"));
  EXPECT_EQ(llama.size(), 2u + 3 * 9);
  EXPECT_EQ(llama.at("model.layers.1.self_attn.k_proj.weight").value.sizes(), at::IntArrayRef({12, 20}));
  EXPECT_EQ(llama.at("model.layers.1.self_attn.o_proj.weight").value.sizes(), at::IntArrayRef({20, 24}));
  EXPECT_EQ(llama.at("model.norm.weight").stage, 3) << "the final norm runs in the last block's stage";
  EXPECT_FALSE(llama.at("model.layers.0.input_layernorm.weight").decays);

  const auto qwen2 = by_name(*small_model("qwen2")), qwen3 = by_name(*small_model("qwen3"));
  EXPECT_TRUE(qwen2.contains("model.layers.0.self_attn.v_proj.bias"));
  EXPECT_FALSE(qwen2.contains("model.layers.0.self_attn.o_proj.bias"));
  EXPECT_EQ(qwen3.at("model.layers.2.self_attn.q_norm.weight").value.sizes(), at::IntArrayRef({6}));
  EXPECT_FALSE(qwen3.contains("model.layers.0.self_attn.v_proj.bias"));

  json biased = small_config("llama");
  biased["attention_bias"] = biased["mlp_bias"] = true;
  EXPECT_EQ(make_model(biased, {.seed = 0})->parameters().size(), 2u + 3 * 16);

  const auto gpt2 = by_name(*small_model("gpt2"));
  EXPECT_EQ(gpt2.size(), 4u + 3 * 12);
  const Parameter& c_attn = gpt2.at("transformer.h.1.attn.c_attn.weight");
  EXPECT_EQ(c_attn.value.sizes(), at::IntArrayRef({60, 20}));
  EXPECT_EQ(c_attn.in_files().sizes(), at::IntArrayRef({20, 60}));
  EXPECT_FALSE(gpt2.at("transformer.wte.weight").is_transposed_in_files);
}

TEST(Decoders, FilesOfTheBaseClassAndOldFilesAreRead) {
  const auto llama = small_model("llama"), gpt2 = small_model("gpt2");
  EXPECT_EQ(llama->canonical("layers.0.mlp.up_proj.weight"), "model.layers.0.mlp.up_proj.weight");
  EXPECT_EQ(llama->canonical("norm.weight"), "model.norm.weight");
  EXPECT_EQ(llama->canonical("model.norm.weight"), "model.norm.weight");
  EXPECT_EQ(llama->canonical("model.layers.0.self_attn.rotary_emb.inv_freq"), "");
  EXPECT_EQ(gpt2->canonical("h.1.ln_1.weight"), "transformer.h.1.ln_1.weight");
  EXPECT_EQ(gpt2->canonical("h.1.attn.bias"), "");
  EXPECT_EQ(gpt2->canonical("transformer.h.1.attn.masked_bias"), "");
  EXPECT_EQ(gpt2->canonical("transformer.h.1.attn.c_attn.bias"), "transformer.h.1.attn.c_attn.bias");
}

TEST(Decoders, ATiedOutputIsTheTableOfWords) {
  for (const char* type : {"llama", "mistral", "qwen2", "qwen3", "gpt2"}) {
    json config = small_config(type);
    config["tie_word_embeddings"] = true;
    const auto tied = make_model(config, {.seed = 0});
    EXPECT_TRUE(tied->output_embedding().is_same(tied->parameters().front().value)) << type;
    EXPECT_EQ(tied->canonical("lm_head.weight"), "") << "a copy of the table";
    config["tie_word_embeddings"] = false;
    const auto apart = make_model(config, {.seed = 0});
    EXPECT_FALSE(apart->output_embedding().defined()) << type;
    EXPECT_EQ(apart->canonical("lm_head.weight"), "lm_head.weight");
  }
  EXPECT_TRUE(small_model("gpt2")->output_embedding().defined()) << "by default";
  EXPECT_FALSE(small_model("llama")->output_embedding().defined()) << "by default";
}

TEST(Decoders, ClassesAreThoseOfTransformers) {
  for (const auto& [type, language_model, classifier] :
       {std::tuple{"llama", "LlamaForCausalLM", "LlamaForSequenceClassification"},
        {"mistral", "MistralForCausalLM", "MistralForSequenceClassification"},
        {"qwen2", "Qwen2ForCausalLM", "Qwen2ForSequenceClassification"},
        {"qwen3", "Qwen3ForCausalLM", "Qwen3ForSequenceClassification"},
        {"gpt2", "GPT2LMHeadModel", "GPT2ForSequenceClassification"}}) {
    const auto model = small_model(type);
    EXPECT_EQ(model->architecture("ForCausalLM"), language_model);
    EXPECT_EQ(model->architecture("ForSequenceClassification"), classifier);
    EXPECT_THROW(model->architecture("ForQuestionAnswering"), ConfigError);
    const HeadShape head = model->sequence_head();
    EXPECT_EQ(head.output, "score");
    EXPECT_FALSE(head.has_bias);
    EXPECT_EQ(head.reads, Reads::last);
  }
  EXPECT_EQ(small_model("gpt2")->token_head().output, "classifier");
  EXPECT_EQ(small_model("qwen3")->token_head().output, "score");
}

// The same rule by the keys of transformers 5 and of 4.
TEST(Decoders, RotaryRulesAreReadFromBothSpellings) {
  const Batch batch = batch_of({30});
  json plain = small_config("llama"), newer = plain, older = plain;
  const json rule = {{"rope_type", "llama3"},
                     {"factor", 4.0},
                     {"low_freq_factor", 1.0},
                     {"high_freq_factor", 4.0},
                     {"original_max_position_embeddings", 20}};
  newer["rope_parameters"] = rule;
  newer["rope_parameters"]["rope_theta"] = 50.0;
  older["rope_scaling"] = rule;
  older["rope_theta"] = 50.0;
  EXPECT_TRUE(rows_of(newer, batch).equal(rows_of(older, batch)));
  plain["rope_theta"] = 50.0;
  EXPECT_GT(distance(rows_of(newer, batch), rows_of(plain, batch)), 1e-3);

  json linear = plain, oldest = plain;
  linear["rope_scaling"] = {{"rope_type", "linear"}, {"factor", 2.0}};
  oldest["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
  EXPECT_TRUE(rows_of(linear, batch).equal(rows_of(oldest, batch)));
  EXPECT_GT(distance(rows_of(linear, batch), rows_of(plain, batch)), 1e-3);
  plain["rope_scaling"] = nullptr;
  EXPECT_NO_THROW(rows_of(plain, batch));
}

TEST(Decoders, WhatIsNotBuiltIsRefusedByName) {
  for (const char* type : {"yarn", "dynamic", "longrope"})
    expect_refused("llama", "rope_scaling", json::object({{"rope_type", type}, {"factor", 2.0}}),
                   "rope_scaling must be of rope_type default, linear or llama3 (others are not built)");
  expect_refused("llama", "rope_parameters", json::object({{"rope_type", "linear"}}),
                 "rope_parameters must be one with factor");
  expect_refused("llama", "rope_parameters", json::object({{"full_attention", json::object({{"rope_theta", 1.0}})}}),
                 "rope_parameters must be one rule for all layers");
  expect_refused("llama", "rope_parameters", json::object({{"rope_theta", 10.0}, {"partial_rotary_factor", 0.5}}),
                 "whole heads turn");
  expect_refused("llama", "quantization_config", json::object({{"bits", 4}}), "quantization_config must be absent");
  expect_refused("llama", "num_local_experts", 8, "num_local_experts must be absent");
  expect_refused("llama", "num_key_value_heads", 3, "num_key_value_heads must be a divisor of num_attention_heads (4)");
  expect_refused("llama", "head_dim", 5, "head_dim must be such that heads have an even width");
  expect_refused("llama", "hidden_act", "silo", "hidden_act = 'silo' is not built (did you mean 'silu'?)");
  expect_refused("mistral", "sliding_window", 1, "sliding_window must be an integer from 2");
  expect_refused("qwen2", "use_sliding_window", true, "use_sliding_window must be false");
  expect_refused("qwen3", "layer_types", {"full_attention", "sliding_attention"}, "layer_types must be");
  for (const char* key : {"scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "add_cross_attention"})
    expect_refused("gpt2", key, true, std::string(key) + " must be false");
  expect_refused("gpt2", "n_head", 3, "n_embd must be a multiple of n_head (3)");
}

TEST(Decoders, ConfigComesBackWithItsDefaults) {
  const auto llama = make_model({{"model_type", "llama"},
                                 {"num_hidden_layers", 1},
                                 {"vocab_size", 10},
                                 {"hidden_size", 16},
                                 {"intermediate_size", 8},
                                 {"num_attention_heads", 4},
                                 {"head_dim", nullptr},
                                 {"num_key_value_heads", nullptr}},
                                {.seed = 0});
  EXPECT_EQ(llama->config()["rms_norm_eps"], 1e-6);
  EXPECT_EQ(llama->config()["rope_theta"], 10000.0);
  EXPECT_TRUE(llama->config()["head_dim"].is_null()) << "as the file has it";
  EXPECT_EQ(by_name(*llama).at("model.layers.0.self_attn.k_proj.weight").value.sizes(), at::IntArrayRef({16, 16}));
  EXPECT_EQ(llama->text_limits()->max_positions, 2048);
  EXPECT_EQ(llama->text_limits()->num_segments, 0);
  const auto gpt2 = make_model({{"model_type", "gpt2"}, {"n_layer", 1}, {"vocab_size", 10}}, {.seed = 0});
  EXPECT_EQ(gpt2->config()["activation_function"], "gelu_new");
  EXPECT_EQ(by_name(*gpt2).at("transformer.h.0.mlp.c_fc.weight").in_files().sizes(), at::IntArrayRef({768, 3072}));
}

}  // namespace
}  // namespace sft
