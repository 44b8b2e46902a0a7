// A forward and a backward pass of each model of text on the GPU against the CPU's, dropout on: the same masks, or
// nothing here would agree in its first digit.
#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "device/gpu.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::batch_of;
using testing::distance;
using testing::drawn;
using testing::forward;
using testing::reading_of;
using testing::small_config;

struct Passed {
  at::Tensor rows;
  std::vector<at::Tensor> gradients;  // in host memory; undefined where none came
};

using Config = nlohmann::json (*)(const std::string& family);

// Widths that the kernels take sixteen bytes at a time and heads that flash attention takes, which those of the small
// models are not, and texts of several tiles.
nlohmann::json wide_config(const std::string& family) {
  nlohmann::json config = small_config(family);
  if (family == "distilbert")
    config.update({{"dim", 64}, {"n_heads", 2}, {"hidden_dim", 64}, {"initializer_range", 0.1}});
  else if (family == "gpt2")
    config.update({{"n_embd", 64}, {"n_head", 2}, {"n_inner", 64}, {"n_positions", 160}, {"initializer_range", 0.1}});
  else
    config.update(
        {{"hidden_size", 64}, {"num_attention_heads", 2}, {"intermediate_size", 64}, {"initializer_range", 0.1}});
  if (config.contains("head_dim")) config.update({{"head_dim", 32}, {"num_key_value_heads", 1}});
  if (family != "gpt2") config["max_position_embeddings"] = 160;
  return config;
}

struct Setting {
  at::ScalarType parameters = at::kDouble, compute = at::kDouble;
  Reads reads = Reads::all;
  Config config = small_config;
  std::vector<int64_t> lengths{5, 1, 17, 9, 40, 33, 12, 8};  // a lone token, and lengths that fill no step
};

Passed pass(const std::string& family, const c10::Device& device, const Setting& setting) {
  const auto model = make_model(
      setting.config(family),
      {.device = device, .dtype = setting.parameters, .compute_type = setting.compute, .seed = 5, .dropout_seed = 11});
  const Batch batch = batch_of(setting.lengths);
  const at::Tensor rows = forward(*model, to_device(batch, device, reading_of(setting.reads, batch)));
  (rows * drawn(rows.sizes(), 3, setting.parameters).to(device)).sum().backward();
  Passed passed{rows.detach().cpu(), {}};
  for (const Parameter& parameter : model->parameters()) {
    const at::Tensor& gradient = parameter.value.grad();
    passed.gradients.push_back(gradient.defined() ? gradient.cpu() : gradient);
  }
  return passed;
}

// Gradients by the norm of all: one of a bias that softmax cancels is rounding alone.
void expect_near(const Passed& ours, const Passed& reference, double tolerance, const std::string& what) {
  EXPECT_LT(distance(ours.rows.to(at::kDouble), reference.rows.to(at::kDouble)), tolerance) << what;
  double whole = 0;
  for (const at::Tensor& gradient : reference.gradients)
    if (gradient.defined()) whole += std::pow(gradient.norm().item<double>(), 2);
  for (size_t i = 0; i < ours.gradients.size(); ++i) {
    ASSERT_EQ(ours.gradients[i].defined(), reference.gradients[i].defined()) << what << i;
    if (!ours.gradients[i].defined()) continue;
    const at::Tensor expected = reference.gradients[i].to(at::kDouble);
    const double scale = std::max(expected.norm().item<double>(), 1e-2 * std::sqrt(whole));
    EXPECT_LT((ours.gradients[i].to(at::kDouble) - expected).norm().item<double>() / scale, tolerance) << what << i;
  }
}

class DeviceTextModel : public testing::OnGpu {
 protected:
  void compare(const Setting& setting, double tolerance) {
    for (const char* family : {"bert", "roberta", "distilbert", "llama", "mistral", "qwen2", "qwen3", "gpt2"}) {
      for (const Reads reads : {Reads::all, Reads::first, Reads::last, Reads::with_target}) {
        Setting here = setting, exact = setting;
        here.reads = exact.reads = reads;
        exact.parameters = exact.compute = at::kDouble;
        expect_near(pass(family, device, here), pass(family, c10::kCPU, exact), tolerance,
                    concat(family, " reads ", static_cast<int>(reads), " "));
      }
    }
  }
};

TEST_F(DeviceTextModel, InFloat64EqualsTheCpu) { compare({at::kDouble, at::kDouble}, 1e-11); }

TEST_F(DeviceTextModel, InFloat32IsWithinRounding) { compare({at::kFloat, at::kFloat}, 2e-5); }

TEST_F(DeviceTextModel, InBfloat16IsWithinItsRounding) { compare({at::kFloat, at::kBFloat16}, 0.15); }

TEST_F(DeviceTextModel, InBfloat16OfWholeVectorsIsWithinItsRounding) {
  compare({at::kFloat, at::kBFloat16, Reads::all, wide_config, {70, 1, 17, 130, 64, 33}}, 0.15);
}

TEST_F(DeviceTextModel, RepeatsTheBitsOfAForwardPass) {
  const Setting setting{at::kFloat, at::kBFloat16};
  EXPECT_TRUE(pass("bert", device, setting).rows.equal(pass("bert", device, setting).rows));
}

}  // namespace
}  // namespace sft
