#include "trainer/adapters/freeze.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/errors.h"

namespace sft {
namespace {

constexpr int kBlocks = 3;

Parameters bert() {
  const auto parameter = [](const std::string& name, int stage) {
    return Parameter{name, at::zeros({10}), stage, true};
  };
  Parameters all = {parameter("bert.embeddings.word_embeddings.weight", 0),
                    parameter("bert.embeddings.LayerNorm.weight", 0)};
  for (int block = 0; block < kBlocks; ++block) {
    const std::string layer = "bert.encoder.layer." + std::to_string(block) + ".";
    all.push_back(parameter(layer + "attention.self.query.weight", block + 1));
    all.push_back(parameter(layer + "output.dense.bias", block + 1));
  }
  all.push_back(parameter("bert.pooler.dense.weight", kBlocks + 1));
  all.push_back(parameter("classifier.weight", kBlocks + 2));
  all.push_back(parameter("classifier.bias", kBlocks + 2));
  return all;
}

std::vector<std::string> trained_names(const FreezeConfig& config) {
  const Parameters all = bert();
  const auto trained = choose_trained(config, all, kBlocks);
  std::vector<std::string> names;
  for (size_t i = 0; i < all.size(); ++i) {
    if (trained[i]) names.push_back(all[i].name);
  }
  return names;
}

std::string refusal(const FreezeConfig& config) {
  try {
    choose_trained(config, bert(), kBlocks);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

bool says(const std::string& message, const std::string& part) { return message.find(part) != std::string::npos; }

FreezeConfig config_of(StringList freeze, StringList trainable, int64_t all_but_last = -1) {
  FreezeConfig config;
  config.freeze = std::move(freeze);
  config.trainable = std::move(trainable);
  config.all_but_last = all_but_last;
  return config;
}

TEST(Freeze, TrainsEverythingByDefault) { EXPECT_EQ(trained_names({}).size(), bert().size()); }

TEST(Freeze, TrainsTheHeadAloneForZeroAndFreezesThePoolerToo) {
  EXPECT_EQ(trained_names(config_of({}, {}, 0)), (std::vector<std::string>{"classifier.weight", "classifier.bias"}));
}

TEST(Freeze, TrainsHeadPoolerAndTheLastBlocks) {
  EXPECT_EQ(trained_names(config_of({}, {}, 1)),
            (std::vector<std::string>{"bert.encoder.layer.2.attention.self.query.weight",
                                      "bert.encoder.layer.2.output.dense.bias", "bert.pooler.dense.weight",
                                      "classifier.weight", "classifier.bias"}));
  EXPECT_EQ(trained_names(config_of({}, {}, kBlocks)).size(), bert().size() - 2);
}

TEST(Freeze, SearchesItsRegexesAnywhereInAName) {
  EXPECT_EQ(trained_names(config_of({"^bert\\."}, {})),
            (std::vector<std::string>{"classifier.weight", "classifier.bias"}));
  EXPECT_EQ(trained_names(config_of({"embeddings", "layer\\.[01]\\."}, {})), trained_names(config_of({}, {}, 1)));
}

TEST(Freeze, LetsTrainableWin) {
  EXPECT_EQ(
      trained_names(config_of({"^bert"}, {"bias$"})),
      (std::vector<std::string>{"bert.encoder.layer.0.output.dense.bias", "bert.encoder.layer.1.output.dense.bias",
                                "bert.encoder.layer.2.output.dense.bias", "classifier.weight", "classifier.bias"}));
  EXPECT_EQ(trained_names(config_of({}, {"pooler"}, 0)),
            (std::vector<std::string>{"bert.pooler.dense.weight", "classifier.weight", "classifier.bias"}));
}

TEST(Freeze, SaysWhichRegexIsMalformedAndHow) {
  const std::string message = refusal(config_of({"bert", "layer.[0-"}, {}));
  EXPECT_TRUE(says(message, "freeze.freeze[1] 'layer.[0-'")) << message;
  EXPECT_TRUE(says(message, "bracket")) << message;
  EXPECT_TRUE(says(refusal(config_of({}, {"*bias"})), "freeze.trainable[0] '*bias'"));
}

TEST(Freeze, SaysWhichRegexMatchesNothingAndNamesWhatIsThere) {
  const std::string message = refusal(config_of({"bert.poler"}, {}));
  EXPECT_TRUE(says(message, "freeze.freeze[0] 'bert.poler' matches none of the model's 11 parameter names")) << message;
  EXPECT_TRUE(says(message, "bert.pooler.dense.weight")) << message;
  EXPECT_FALSE(says(message, "classifier")) << message;
  EXPECT_TRUE(says(refusal(config_of({}, {"lora"})), "freeze.trainable[0] 'lora'"));
}

TEST(Freeze, RefusesToFreezeEverything) {
  EXPECT_TRUE(says(refusal(config_of({"."}, {})), "leaves none of the model's 11 parameters to train"));
  EXPECT_TRUE(says(refusal(config_of({"classifier"}, {}, 0)), "leaves none"));
}

TEST(Freeze, RefusesAContradiction) {
  const std::string message = refusal(config_of({"embeddings", "pooler"}, {"pooler"}));
  EXPECT_TRUE(says(message, "freeze.freeze[1] 'pooler' contradicts freeze.trainable")) << message;
  EXPECT_TRUE(says(refusal(config_of({"layer.0"}, {"."})), "contradicts"));
}

TEST(Freeze, RefusesMoreBlocksThanThereAre) {
  const std::string message = refusal(config_of({}, {}, 4));
  EXPECT_TRUE(says(message, "freeze.all_but_last: wanted at most the model's 3 blocks, found 4")) << message;
}

TEST(Freeze, SummarisesWhatTrains) {
  const Parameters all = bert();
  EXPECT_EQ(summary_of(all, choose_trained(config_of({}, {}, 0), all, kBlocks)),
            "training 20 of 110 parameters (2 of 11 tensors)");
}

}  // namespace
}  // namespace sft
