// What a target sees, in training and step by step; names, configs and refusals of the models that read a source and
// write a target. Their values are compared with transformers' in tests/parity.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/function.h>

#include <map>

#include "base/errors.h"
#include "trainer/learner/stages.h"
#include "trainer/models/model_fixtures.h"
#include "trainer/tasks/seq2seq_lm/rows/columns.h"
#include "trainer/tasks/seq2seq_lm/rows/fed_targets.h"

namespace sft {
namespace {

using nlohmann::json;
using testing::by_name;
using testing::distance;
using testing::expect_refused;
using testing::small_config;
using testing::small_model;
using Tokens = std::vector<int32_t>;

constexpr const char* kTypes[] = {"t5", "mt5", "marian", "bart"};

struct Pair {
  Tokens source, target;
  int64_t draw;
};

const std::vector<Pair> kPairs{{{5, 9, 31, 7, 44, 12, 8, 30, 2, 19, 6, 41, 3, 22}, {17, 3, 25}, 7},
                               {{11}, {40, 21, 33, 14, 1, 29, 6, 6, 45, 18, 2, 37, 9, 5, 1}, 19},
                               {{27, 48, 10, 4, 15}, {38}, 4},
                               {{13, 16, 20, 23, 24, 26}, {28, 32, 34, 35, 36}, 90}};

Batch batch_of_pairs(const std::vector<Pair>& pairs) {
  const Schema schema = seq2seq::sample_schema(50, 50);
  Batch batch(schema);
  Sample sample(schema);
  for (const Pair& pair : pairs) {
    sample.cells[0].set(pair.source);
    sample.cells[1].set(pair.target);
    batch.ids.push_back(batch.size());
    batch.draws.push_back(pair.draw);
    batch.append(sample);
  }
  return batch;
}

Inputs inputs_of(const Model& model, const std::vector<Pair>& pairs) {
  const Batch batch = batch_of_pairs(pairs);
  const auto start = static_cast<int32_t>(model.pair()->start_id);
  return to_device(batch, at::kCPU, {.fed = seq2seq::fed_targets(batch, start).fed});
}

at::Tensor rows_of(Model& model, const std::vector<Pair>& pairs, Mode mode = Mode::evaluation) {
  return testing::forward(model, inputs_of(model, pairs), mode).detach();
}

TEST(EncoderDecoders, ATargetIsTheSameWhateverIsPackedBesideIt) {
  for (const char* type : kTypes)
    for (const Mode mode : {Mode::evaluation, Mode::training}) {
      const auto model = small_model(type, at::kDouble, 3);
      std::vector<at::Tensor> alone;
      for (const Pair& pair : kPairs) alone.push_back(rows_of(*model, {pair}, mode));
      EXPECT_LT(distance(rows_of(*model, kPairs, mode), at::cat(alone)), 1e-12) << type;
    }
}

TEST(EncoderDecoders, ATargetSeesAllOfItsSourceAndItsOwnTokensBefore) {
  for (const char* type : kTypes) {
    const auto model = small_model(type);
    const at::Tensor before = rows_of(*model, kPairs);
    const auto moved = [&](const std::vector<Pair>& pairs) {
      const at::Tensor rows = (rows_of(*model, pairs) - before).abs().sum(1);
      std::vector<int64_t> seen;
      for (int64_t row = 0; row < rows.size(0); ++row)
        if (rows[row].item<double>() > 1e-12) seen.push_back(row);
      return seen;
    };
    std::vector<Pair> changed = kPairs;
    changed[0].source[13] = 18;
    EXPECT_EQ(moved(changed), (std::vector<int64_t>{0, 1, 2})) << type;
    changed = kPairs;
    changed[3].target[1] = 9;
    EXPECT_EQ(moved(changed), (std::vector<int64_t>{21, 22, 23})) << type;
  }
}

// What the encoder gives is a row a token of a source, sample after sample: it can be kept, and the rest goes on from
// it.
TEST(EncoderDecoders, FrozenStagesEndWhereTheEncoderDoes) {
  for (const char* type : kTypes) {
    const auto model = small_model(type);
    EXPECT_EQ(model->num_blocks(), 2 + 1 + 3);
    const Inputs inputs = inputs_of(*model, kPairs);
    for (const int first_trained : {1, 3, 5, 7}) {
      Stages stages(*model, {.first_trained = first_trained});
      const at::Tensor kept = stages.frozen_activations(inputs, Mode::evaluation);
      EXPECT_EQ(kept.size(0), 26) << "rows of sources";
      EXPECT_TRUE(stages.trained_part(kept, inputs, Mode::evaluation).equal(rows_of(*model, kPairs))) << type;
    }
  }
}

// Tables that several stages share are added to once a stage, and not once in all: the last bits may be others.
TEST(EncoderDecoders, ComputingAgainChangesRoundingAlone) {
  for (const char* type : kTypes) {
    const auto model = small_model(type, at::kDouble, 3);
    const auto gradients = [&](bool recomputes) {
      for (const Parameter& parameter : model->parameters()) parameter.value.mutable_grad() = at::Tensor();
      Stages stages(*model, {.recomputes = recomputes});
      const at::Tensor y = stages.forward(inputs_of(*model, kPairs), Mode::training);
      EXPECT_EQ(y.grad_fn()->name().find("Recomputed") != std::string::npos, recomputes) << y.grad_fn()->name();
      (y * testing::drawn(y.sizes(), 3)).sum().backward();
      std::vector<at::Tensor> all;
      for (const Parameter& parameter : model->parameters()) all.push_back(parameter.value.grad().clone());
      return all;
    };
    const std::vector<at::Tensor> kept = gradients(false), again = gradients(true);
    for (size_t i = 0; i < kept.size(); ++i)
      EXPECT_LT(distance(again[i], kept[i]), 1e-12) << type << " " << model->parameters()[i].name;
  }
}

// One token a step. The second source enters at the second step, and two targets look at the first.
TEST(EncoderDecoders, GoOnOverKeptSourcesAsOverTheWhole) {
  const at::NoGradGuard no_graph;
  struct Running {
    size_t source;      // of kPairs
    int64_t slot;       // of its source
    int64_t begins_at;  // step
    Tokens tokens;      // that are fed, the one that starts it first
  };
  for (const char* type : kTypes) {
    const auto model = small_model(type);
    const auto start = static_cast<int32_t>(model->pair()->start_id);
    const std::vector<Running> all{
        {0, 1, 0, {start, 8, 30, 2}}, {0, 1, 0, {start, 4, 12, 7}}, {3, 0, 1, {start, 6, 41, 3}}};
    KeyValueCache own(3, 10), sources(2, 14);
    for (int64_t step = 0; step < 4; ++step) {
      std::vector<Pair> entering;
      std::vector<int64_t> slots, looked_at, own_slots, lengths, offsets{0};
      Tokens fed;
      if (step < 2) entering = {kPairs[step == 0 ? 0 : 3]}, slots = {step == 0 ? 1 : 0};
      std::vector<at::Tensor> expected;
      for (size_t i = 0; i < all.size(); ++i) {
        const int64_t place = step - all[i].begins_at;
        if (place < 0) continue;
        own_slots.push_back(static_cast<int64_t>(i));
        lengths.push_back(place);
        looked_at.push_back(all[i].slot);
        fed.push_back(all[i].tokens[static_cast<size_t>(place)]);
        offsets.push_back(offsets.back() + 1);
        Pair whole = kPairs[all[i].source];
        whole.target = {all[i].tokens.begin() + 1, all[i].tokens.begin() + 1 + place};
        whole.target.push_back(0);
        expected.push_back(rows_of(*model, {whole}).slice(0, place, place + 1));
      }
      PairInputs inputs = pair_of(inputs_of(*model, entering));
      const at::Tensor places = at::tensor(lengths, at::kLong), nothing = at::zeros_like(places);
      TextInputs& target = inputs.target;
      target.tokens_N = at::tensor(fed).to(at::kLong);
      target.positions_N = places;
      target.segments_N = target.draws_N = target.draws_B = nothing;
      target.host_offsets = offsets;
      target.most_positions = step + 1;
      target.cache = &own;
      own.go_on(own_slots, lengths, offsets);
      sources.begin(slots, inputs.source.host_offsets, looked_at);
      inputs.kept_sources = &sources;
      EXPECT_LT(distance(Stages(*model).forward(inputs, Mode::evaluation), at::cat(expected)), 1e-12) << type << step;
    }
  }
}

TEST(EncoderDecoders, NamesAreThoseOfTransformers) {
  const auto t5 = by_name(*small_model("t5"));
  EXPECT_EQ(t5.size(), 1u + (2 * 8 + 2) + (3 * 13 + 2));
  EXPECT_EQ(t5.at("encoder.block.1.layer.0.SelfAttention.q.weight").value.sizes(), at::IntArrayRef({18, 20}));
  EXPECT_EQ(t5.at("decoder.block.2.layer.1.EncDecAttention.o.weight").value.sizes(), at::IntArrayRef({20, 18}));
  const Parameter& bias = t5.at("decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
  EXPECT_EQ(bias.value.sizes(), at::IntArrayRef({8, 3}));
  EXPECT_FALSE(bias.decays) << "its name says bias";
  EXPECT_EQ(bias.stage, 4);
  EXPECT_EQ(t5.at("encoder.final_layer_norm.weight").stage, 2);
  EXPECT_EQ(t5.at("decoder.block.2.layer.2.DenseReluDense.wi.weight").stage, 6);
  EXPECT_TRUE(by_name(*small_model("mt5")).contains("encoder.block.0.layer.1.DenseReluDense.wi_1.weight"));

  const auto model = small_model("marian");
  const auto marian = by_name(*model);
  EXPECT_EQ(marian.size(), 1u + 2 * 16 + 3 * 26);
  EXPECT_EQ(marian.at("model.decoder.layers.1.encoder_attn.out_proj.bias").value.sizes(), at::IntArrayRef({20}));
  EXPECT_TRUE(marian.contains("model.encoder.layers.0.self_attn_layer_norm.weight"));
  ASSERT_EQ(model->buffers().size(), 1u);
  EXPECT_EQ(model->buffers()[0].name, "final_logits_bias");
  EXPECT_EQ(model->buffers()[0].value.sizes(), at::IntArrayRef({1, 50}));
  EXPECT_EQ(model->output_bias().data_ptr(), model->buffers()[0].value.data_ptr());

  const auto bart = by_name(*small_model("bart"));
  EXPECT_EQ(bart.size(), marian.size() + 2 * 3) << "positions and a norm for each side";
  EXPECT_EQ(bart.at("model.encoder.embed_positions.weight").value.sizes(), at::IntArrayRef({42, 20}));
  EXPECT_EQ(bart.at("model.decoder.layernorm_embedding.weight").stage, 3);
}

TEST(EncoderDecoders, FilesOfTheBaseClassAndOldFilesAreRead) {
  const auto t5 = small_model("t5"), marian = small_model("marian");
  for (const char* copy : {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"})
    EXPECT_EQ(t5->canonical(copy), "");
  EXPECT_EQ(t5->canonical("decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"), "");
  EXPECT_EQ(t5->canonical("shared.weight"), "shared.weight");
  EXPECT_EQ(marian->canonical("encoder.layers.0.fc1.bias"), "model.encoder.layers.0.fc1.bias");
  for (const char* copy : {"model.encoder.embed_positions.weight", "decoder.embed_positions.weight", "lm_head.weight",
                           "model.decoder.embed_tokens.weight"})
    EXPECT_EQ(marian->canonical(copy), "");
  const auto bart = small_model("bart");
  EXPECT_EQ(bart->canonical("encoder.embed_positions.weight"), "model.encoder.embed_positions.weight");
  EXPECT_EQ(bart->canonical("model.decoder.embed_tokens.weight"), "");
}

TEST(EncoderDecoders, T5HasAnOutputLayerOfItsOwnWhereFilesDo) {
  const auto tied = small_model("t5");
  EXPECT_TRUE(tied->output_embedding().is_same(tied->parameters().front().value));
  const auto apart = make_model(small_config("t5"), {.seed = 0, .file_names = {"shared.weight", "lm_head.weight"}});
  EXPECT_FALSE(apart->output_embedding().defined());
  EXPECT_EQ(apart->canonical("lm_head.weight"), "lm_head.weight");
}

// transformers 4 told T5 1.0 by the tie, 5 by a key of its own; mT5 never scales.
TEST(EncoderDecoders, WhatT5sDecoderGivesIsScaledAsItsConfigSays) {
  const auto rows = [&](json config) {
    return rows_of(*make_model(config, {.dtype = at::kDouble, .seed = 5}), kPairs);
  };
  json config = small_config("t5"), newer = config;
  const at::Tensor scaled = rows(config);
  config["tie_word_embeddings"] = false;
  EXPECT_LT(distance(rows(config) / std::sqrt(20.0), scaled), 1e-12);
  newer["tie_word_embeddings"] = true;
  newer["scale_decoder_outputs"] = false;
  EXPECT_TRUE(rows(newer).equal(rows(config)));
}

TEST(EncoderDecoders, MarianHasTwoTablesWhereItsSidesShareNone) {
  json config = small_config("marian");
  config["share_encoder_decoder_embeddings"] = false;
  config["decoder_vocab_size"] = 60;
  const auto model = make_model(config, {.seed = 0});
  const auto all = by_name(*model);
  EXPECT_EQ(all.at("model.encoder.embed_tokens.weight").value.size(0), 50);
  EXPECT_EQ(all.at("model.decoder.embed_tokens.weight").stage, 3);
  EXPECT_EQ(model->output_embedding().size(0), 60);
  EXPECT_EQ(model->pair()->target_vocab_size, 60);
  EXPECT_FALSE(all.contains("model.shared.weight"));
}

TEST(EncoderDecoders, ClassesAreThoseOfTransformers) {
  EXPECT_EQ(small_model("t5")->architecture("ForConditionalGeneration"), "T5ForConditionalGeneration");
  EXPECT_EQ(small_model("mt5")->architecture("ForConditionalGeneration"), "MT5ForConditionalGeneration");
  EXPECT_EQ(small_model("marian")->architecture("ForConditionalGeneration"), "MarianMTModel");
  EXPECT_EQ(small_model("bart")->architecture("ForConditionalGeneration"), "BartForConditionalGeneration");
  EXPECT_THROW(small_model("t5")->architecture("ForSequenceClassification"), ConfigError);
}

TEST(EncoderDecoders, WhatIsNotBuiltIsRefusedByName) {
  expect_refused("t5", "feed_forward_proj", "gated-gelo", "feed_forward_proj");
  expect_refused("t5", "relative_attention_max_distance", 3, "relative_attention_max_distance must be an integer from");
  expect_refused("t5", "is_encoder_decoder", false, "is_encoder_decoder must be true");
  expect_refused("t5", "quantization_config", json::object({{"bits", 4}}), "quantization_config must be absent");
  expect_refused("marian", "normalize_before", true, "normalize_before must be false");
  expect_refused("marian", "encoder_layerdrop", 0.1, "encoder_layerdrop must be 0");
  expect_refused("marian", "decoder_attention_heads", 3, "d_model must be a multiple of decoder_attention_heads (3)");
  expect_refused("marian", "decoder_vocab_size", 60, "decoder_vocab_size must be vocab_size (50)");
  expect_refused("bart", "normalize_before", true, "normalize_before must be false");
}

TEST(EncoderDecoders, ConfigComesBackWithItsDefaults) {
  const auto t5 = make_model(
      {{"model_type", "t5"}, {"num_layers", 1}, {"vocab_size", 10}, {"num_decoder_layers", nullptr}}, {.seed = 0});
  EXPECT_EQ(t5->config()["feed_forward_proj"], "relu");
  EXPECT_EQ(t5->num_blocks(), 3) << "as many blocks as the encoder has";
  EXPECT_EQ(t5->text_limits()->max_positions, TextLimits::kUnlimited);
  EXPECT_EQ(t5->pair()->start_id, 0);
  EXPECT_EQ(small_model("mt5")->config()["feed_forward_proj"], "gated-gelu");
  EXPECT_EQ(small_model("marian")->text_limits()->max_positions, 40);
}

}  // namespace
}  // namespace sft
