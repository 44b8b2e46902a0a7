// What packing, reading and freezing must not change in any of the models of text, and how they start.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/function.h>

#include <limits>
#include <optional>
#include <utility>

#include "base/errors.h"
#include "trainer/learner/stages.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::batch_of;
using testing::distance;
using testing::drawn;
using testing::forward;
using testing::only;
using testing::reading_of;
using testing::small_config;
using testing::small_model;

std::vector<at::Tensor> gradients(const Model& model) {
  std::vector<at::Tensor> all;
  for (const Parameter& parameter : model.parameters()) all.push_back(parameter.value.grad());
  return all;
}

void clear_gradients(const Model& model) {
  for (const Parameter& parameter : model.parameters()) parameter.value.mutable_grad() = at::Tensor();
}

// Bits of the output and of every gradient, in a backward pass that adds to what is there.
std::vector<at::Tensor> bits_of(Model& model, const Batch& batch, const Reading& reading, bool recomputes) {
  for (const Parameter& parameter : model.parameters())
    parameter.value.mutable_grad() = parameter.value.requires_grad() ? at::ones_like(parameter.value) : at::Tensor();
  Stages stages(model, {.recomputes = recomputes});
  const at::Tensor y = stages.forward(to_device(batch, at::kCPU, reading), Mode::training);
  (y * drawn(y.sizes(), 3)).sum().backward();
  EXPECT_EQ(y.grad_fn()->name().find("Recomputed") != std::string::npos, recomputes) << y.grad_fn()->name();
  std::vector<at::Tensor> all = gradients(model);
  all.push_back(y.detach());
  return all;
}

// Of normal values that are cut off at two deviations: √(1 − 4 φ(2) / (2 Φ(2) − 1)).
constexpr double kCutAtTwo = 0.8796;

constexpr Reads kAllReads[] = {Reads::all, Reads::first, Reads::last, Reads::with_target};

// By config.json's model_type.
class TextModels : public ::testing::TestWithParam<std::string> {};

// Weights that are not there until somebody asks for those of their stage.
class Absent final : public StageWatch {
 public:
  explicit Absent(const Model& model) {
    const at::NoGradGuard no_graph;
    for (const Parameter& parameter : model.parameters()) {
      arriving_.emplace_back(parameter, parameter.value.detach().clone());
      parameter.value.detach().fill_(std::numeric_limits<double>::quiet_NaN());
    }
  }
  void before(int stage) override {
    const at::NoGradGuard no_graph;
    for (const auto& [parameter, value] : arriving_)
      if (parameter.stage == stage) parameter.value.detach().copy_(value);
  }
  void after(int) override {}
  void before_backward(int) override {}

 private:
  std::vector<std::pair<Parameter, at::Tensor>> arriving_;
};

// Seen to fail: copies of weights in bfloat16 that were made before their stage was asked for.
TEST_P(TextModels, AskForTheWeightsThatTheyRead) {
  const Batch batch = batch_of({5, 1, 17});
  for (const std::optional<at::ScalarType> type : {std::optional<at::ScalarType>(), {at::kBFloat16}}) {
    const auto model = make_model(small_config(GetParam()), {.dtype = at::kFloat, .compute_type = type, .seed = 5});
    Absent absent(*model);
    Stages stages(*model, {.watch = &absent});
    for (const Mode mode : {Mode::training, Mode::evaluation}) {
      const at::Tensor y = stages.forward(to_device(batch, at::kCPU, reading_of(Reads::all, batch)), mode);
      EXPECT_TRUE(at::isfinite(y).all().item<bool>());
    }
  }
}

TEST_P(TextModels, ComputingAgainChangesNoBit) {
  const auto model = small_model(GetParam(), at::kDouble, 11);
  if (!model->repeats_stages()) {
    EXPECT_THROW(Stages(*model, {.recomputes = true}), ConfigError);
    return;
  }
  const Batch batch = batch_of({5, 1, 17, 9, 30});
  const auto expect_same = [&](Reads reads) {
    const Reading reading = reading_of(reads, batch);
    const auto kept = bits_of(*model, batch, reading, false), recomputed = bits_of(*model, batch, reading, true);
    for (size_t i = 0; i < kept.size(); ++i) {
      ASSERT_EQ(kept[i].defined(), recomputed[i].defined()) << i;
      if (!kept[i].defined()) continue;
      EXPECT_TRUE(at::equal(kept[i], recomputed[i])) << i;
    }
  };
  for (const Reads reads : kAllReads) expect_same(reads);
  for (const Parameter& parameter : model->parameters())
    if (parameter.stage < 1) at::Tensor(parameter.value).set_requires_grad(false);
  expect_same(Reads::all);
}

// Broken by hand once: with the row of the batch, or the number of the sequence in it, in place of the draw in a mask's
// key, both comparisons fail in the first digit.
TEST_P(TextModels, PackedEqualsOneByOneDropoutIncluded) {
  const auto model = small_model(GetParam(), at::kDouble, 11);
  const Batch batch = batch_of({5, 1, 17, 9, 30});
  for (const Reads reads : kAllReads) {
    clear_gradients(*model);
    const at::Tensor packed = forward(*model, to_device(batch, at::kCPU, reading_of(reads, batch)));
    const at::Tensor seen = drawn(packed.sizes(), 3);
    (packed * seen).sum().backward();
    const auto of_packed = gradients(*model);

    clear_gradients(*model);
    std::vector<at::Tensor> alone;
    int64_t row = 0;
    for (int64_t b = 0; b < batch.size(); ++b) {
      const Batch one = only(batch, b);
      const at::Tensor rows = forward(*model, to_device(one, at::kCPU, reading_of(reads, one)));
      (rows * seen.narrow(0, row, rows.size(0))).sum().backward();
      row += rows.size(0);
      alone.push_back(rows.detach());
    }
    EXPECT_LT(distance(packed, at::cat(alone)), 1e-12);
    double whole = 0;
    for (const at::Tensor& g : of_packed) {
      if (g.defined()) whole += g.norm().item<double>() * g.norm().item<double>();
    }
    const auto of_each = gradients(*model);
    for (size_t i = 0; i < of_packed.size(); ++i) {
      ASSERT_EQ(of_packed[i].defined(), of_each[i].defined());
      if (!of_packed[i].defined()) continue;  // the pooler was not asked
      const double limit = 1e-12 * std::max(of_each[i].norm().item<double>(), 1e-4 * std::sqrt(whole));
      EXPECT_LE((of_packed[i] - of_each[i]).norm().item<double>(), limit) << model->parameters()[i].name;
    }
  }
}

// Values and gradients of the rows that are read, whoever else is read, with the masks of dropout.
TEST_P(TextModels, ReadingSomeRowsGivesTheseRowsOfAll) {
  const auto model = small_model(GetParam(), at::kDouble, 11);
  const Batch batch = batch_of({5, 1, 17, 9});
  for (const Reads reads : {Reads::first, Reads::last, Reads::with_target}) {
    const Inputs inputs = to_device(batch, at::kCPU, reading_of(reads, batch));
    const at::Tensor rows_M = text_of(inputs).read->rows_M;
    clear_gradients(*model);
    const at::Tensor all = forward(*model, to_device(batch, at::kCPU)).index_select(0, rows_M);
    const at::Tensor seen = drawn(all.sizes(), 3);
    (all * seen).sum().backward();
    const auto of_all = gradients(*model);
    clear_gradients(*model);
    const at::Tensor some = forward(*model, inputs);
    (some * seen).sum().backward();
    EXPECT_LT(distance(some, all), 1e-12);
    for (size_t i = 0; i < of_all.size(); ++i) {
      if (!of_all[i].defined() || of_all[i].norm().item<double>() < 1e-9) continue;
      EXPECT_LT(distance(gradients(*model)[i], of_all[i]), 1e-11) << model->parameters()[i].name;
    }
  }
}

// A batch of which no row is read, as that of a rank without a trained token.
TEST_P(TextModels, GiveNoRowsWhereNoneIsRead) {
  const auto model = small_model(GetParam());
  const Inputs none = to_device(batch_of({5, 9}), at::kCPU, {Reads::with_target, {}});
  const at::Tensor rows = forward(*model, none);
  EXPECT_EQ(rows.sizes(), at::IntArrayRef({0, 20}));
  rows.sum().backward();
  for (const Parameter& parameter : model->parameters()) {
    const at::Tensor& gradient = parameter.value.grad();
    EXPECT_EQ(gradient.defined() ? gradient.abs().sum().item<double>() : 0.0, 0.0) << parameter.name;
  }
}

TEST_P(TextModels, DropoutFollowsSeedAndDrawAndStopsInEvaluation) {
  const auto model = small_model(GetParam()), other_seed = small_model(GetParam(), at::kDouble, 1);
  Batch batch = batch_of({8, 8});
  const auto run = [&](Model& one, Mode mode) { return forward(one, to_device(batch, at::kCPU), mode).detach(); };
  const at::Tensor evaluated = run(*model, Mode::evaluation), trained = run(*model, Mode::training);
  EXPECT_GT(distance(trained, evaluated), 0.1);
  EXPECT_TRUE(run(*model, Mode::training).equal(trained));
  EXPECT_GT(distance(run(*other_seed, Mode::training), trained), 0.1);
  batch.draws[1] += 1;
  const at::Tensor other_draw = run(*model, Mode::training);
  EXPECT_TRUE(other_draw.narrow(0, 0, 8).equal(trained.narrow(0, 0, 8)));
  EXPECT_GT(distance(other_draw.narrow(0, 8, 8), trained.narrow(0, 8, 8)), 0.1);
  EXPECT_TRUE(run(*model, Mode::evaluation).equal(evaluated));
}

TEST_P(TextModels, NothingBelowTheFirstTrainedStageHasAGraphOrDropout) {
  const auto model = small_model(GetParam());
  const Inputs inputs = to_device(batch_of({5, 9}), at::kCPU);
  Stages last(*model, {.first_trained = 3});
  last.forward(inputs, Mode::training).sum().backward();
  for (const Parameter& parameter : model->parameters()) {
    const bool is_of_all_blocks = parameter.name.starts_with("deberta.encoder.") && parameter.stage == 0;
    EXPECT_EQ(parameter.value.grad().defined(), parameter.stage == 3 || is_of_all_blocks) << parameter.name;
  }
  Stages none(*model, {.first_trained = model->num_blocks() + 1});
  const at::Tensor frozen = none.forward(inputs, Mode::training);
  EXPECT_FALSE(frozen.requires_grad());
  EXPECT_TRUE(forward(*model, inputs, Mode::evaluation).equal(frozen));
}

// Each stage once forward, and in the backward pass before its first gradient; where it is recomputed there its
// parameters must be back, and stay until the stage below begins.
TEST_P(TextModels, TellTheWatchOfEveryRunOfAStage) {
  struct Log : StageWatch {
    std::vector<int> seen;
    void before(int stage) override { seen.push_back(stage + 1); }
    void after(int stage) override { seen.push_back(-stage - 1); }
    void before_backward(int stage) override { seen.push_back(100 + stage + 1); }
  } log;
  const auto model = small_model(GetParam());
  const Inputs inputs = to_device(batch_of({5, 9}), at::kCPU);
  const bool recomputes = model->repeats_stages();
  Stages stages(*model, {.first_trained = 1, .recomputes = recomputes, .watch = &log});
  const at::Tensor y = stages.forward(inputs, Mode::training);
  EXPECT_EQ(log.seen, (std::vector<int>{1, -1, 2, -2, 3, -3, 4, -4}));
  log.seen.clear();
  y.sum().backward();
  // Stage 1 is the lowest trained one: its input asks for no gradient, so it is kept and not run again.
  EXPECT_EQ(log.seen, recomputes ? (std::vector<int>{104, 4, 103, 3, 102}) : (std::vector<int>{104, 103, 102}));
}

// (The blocks have the same bits on any number of threads; the library's matrix products do not promise it.)
TEST_P(TextModels, RepeatsItsBits) {
  const auto model = small_model(GetParam(), at::kFloat);
  const Inputs inputs = to_device(batch_of({5, 9, 40, 33, 31}), at::kCPU);
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    clear_gradients(*model);
    (forward(*model, inputs) * drawn({118, 20}, 3, at::kFloat)).sum().backward();
    at::set_num_threads(1);
    return gradients(*model);
  };
  const auto once = run(3), again = run(3);
  for (size_t i = 0; i < once.size(); ++i) {
    if (!once[i].defined()) continue;  // the pooler was not asked
    EXPECT_TRUE(once[i].equal(again[i])) << model->parameters()[i].name;
  }
}

TEST_P(TextModels, StartsFromTheSameWeightsOnEveryRankAndLikeTransformers) {
  const auto a = small_model(GetParam(), at::kFloat), b = small_model(GetParam(), at::kFloat),
             c = make_model(small_config(GetParam()), {.seed = 6});
  for (size_t i = 0; i < a->parameters().size(); ++i) {
    const Parameter parameter = a->parameters()[i];
    EXPECT_TRUE(parameter.value.equal(b->parameters()[i].value)) << parameter.name;
    const bool is_drawn = parameter.decays || parameter.name.ends_with("_bias");  // XLNet's biases
    if (!is_drawn) {
      EXPECT_TRUE(parameter.value.eq(parameter.name.ends_with("weight") ? 1.0 : 0.0).all().item<bool>())
          << parameter.name;
      continue;
    }
    EXPECT_FALSE(parameter.value.equal(c->parameters()[i].value)) << parameter.name;
    const double count = static_cast<double>(parameter.value.numel());
    const bool is_narrowed = parameter.name.ends_with("c_proj.weight") || parameter.name.ends_with("Wo.weight");
    const double cut = GetParam() == "modernbert" ? kCutAtTwo : 1.0;
    const double deviation = cut * (is_narrowed ? 0.3 / std::sqrt(2 * 3) : 0.3);
    EXPECT_NEAR(parameter.value.std().item<double>(), deviation, 5 * deviation / std::sqrt(2 * count))
        << parameter.name;
  }
  if (GetParam() == "gpt2" || GetParam() == "xlnet") return;  // their tables of words have no row for padding
  const int64_t padding = a->config()["pad_token_id"];
  EXPECT_EQ(a->parameters().front().value[padding].abs().sum().item<double>(), 0.0) << "the padding word";
}

std::string name_of(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(AllFamilies, TextModels,
                         ::testing::Values("bert", "roberta", "distilbert", "llama", "mistral", "qwen2", "qwen3",
                                           "gpt2", "modernbert", "electra", "albert", "deberta-v2", "xlnet"),
                         name_of);

}  // namespace
}  // namespace sft
