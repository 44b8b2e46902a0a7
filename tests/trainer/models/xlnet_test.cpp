// XLNet's names, shapes in files and refusals; what it shares with others is in text_models_test.cpp, its numbers are
// in tests/parity/encoders.py.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/errors.h"
#include "trainer/models/model_fixtures.h"
#include "trainer/models/xlnet/relative_attention.h"

namespace sft {
namespace {

using testing::small_config;
using testing::small_model;

TEST(Xlnet, NamesShapesAndHeadsAreThoseOfTransformers) {
  const auto model = small_model("xlnet");
  const Parameters parameters = model->parameters();
  ASSERT_EQ(parameters.size(), 1u + 3 * 17);
  EXPECT_EQ(parameters[0].name, "transformer.word_embedding.weight");
  EXPECT_EQ(parameters[1].name, "transformer.layer.0.rel_attn.q");
  EXPECT_EQ(parameters[1].value.sizes(), at::IntArrayRef({20, 20}));
  EXPECT_EQ(parameters[1].in_files().sizes(), at::IntArrayRef({20, 2, 10}));
  EXPECT_TRUE(parameters[1].decays);
  EXPECT_EQ(parameters[6].name, "transformer.layer.0.rel_attn.r_r_bias");
  EXPECT_FALSE(parameters[6].decays);
  EXPECT_EQ(parameters[9].name, "transformer.layer.0.rel_attn.seg_embed");
  EXPECT_EQ(parameters[9].value.sizes(), at::IntArrayRef({2, 2, 10}));
  EXPECT_TRUE(parameters[9].decays);
  EXPECT_EQ(model->buffers().front().name, "transformer.mask_emb");
  EXPECT_EQ(model->buffers().front().value.sizes(), at::IntArrayRef({1, 1, 20}));
  const HeadShape head = model->sequence_head();
  EXPECT_EQ(head.hidden, "sequence_summary.summary");
  EXPECT_EQ(head.output, "logits_proj");
  EXPECT_EQ(head.reads, Reads::last);
  EXPECT_EQ(model->token_head().output, "classifier");
  EXPECT_EQ(model->canonical("layer.2.ff.layer_1.bias"), "transformer.layer.2.ff.layer_1.bias");
  EXPECT_EQ(model->canonical("mask_emb"), "transformer.mask_emb");
  EXPECT_EQ(model->text_limits()->num_segments, 3);
  EXPECT_EQ(model->architecture("ForTokenClassification"), "XLNetForTokenClassification");
}

// Of queries, keys, values and distances files have channels that come in in front, of the output heads behind.
TEST(Xlnet, WhatAFileHasComesBackAsItWas) {
  const auto model = small_model("xlnet");
  for (const size_t i : {1u, 4u}) {
    const Parameter parameter = model->parameters()[i];
    const at::Tensor stored = parameter.in_files().contiguous();
    EXPECT_TRUE(parameter.from_file(stored).equal(parameter.value)) << parameter.name;
    EXPECT_EQ(stored.view({20, 20}).equal(parameter.value), i == 4u) << parameter.name;
  }
}

TEST(Xlnet, DistancesAreTheSameWhicheverTextWasTheLongest) {
  DistanceSines grown(6, 3, at::kDouble), at_once(6, 3, at::kDouble);
  grown.of_length(2);
  const at::Tensor rows = at_once.of_length(9);
  EXPECT_TRUE(grown.of_length(9).equal(rows));
  EXPECT_TRUE(grown.of_length(4).equal(rows.narrow(0, 5, 7)));
  EXPECT_TRUE(rows[16].equal(rows[11])) << "beyond the farthest";
  EXPECT_FALSE(rows[11].equal(rows[10]));
  EXPECT_TRUE(rows[8].equal(at::tensor({0.0, 0.0, 0.0, 1.0, 1.0, 1.0}, at::kDouble)));
}

TEST(Xlnet, WhatIsNotBuiltIsRefusedByName) {
  const auto refused = [](const char* key, const nlohmann::json& value, const char* part) {
    testing::expect_refused("xlnet", key, value, part);
  };
  refused("attn_type", "uni", "attn_type must be \"bi\" (every token sees all; others are not built), found \"uni\"");
  refused("summary_type", "mean", "summary_type must be \"last\"");
  refused("bi_data", true, "bi_data must be false");
  refused("summary_use_proj", false, "summary_use_proj must be true");
  refused("summary_activation", nullptr, "summary_activation must be the name of an activation (none is not built)");
  refused("d_head", 12, "d_head must be d_model / n_head (10), found 12");
  refused("n_head", 3, "d_model must be an even multiple of n_head (3), found 20");
  try {
    small_model("xlnet")->architecture("ForQuestionAnswering");
    FAIL() << "question answering";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "model_type xlnet is built for text_classification and token_classification, not for a class that "
                 "ends in ForQuestionAnswering");
  }
}

}  // namespace
}  // namespace sft
