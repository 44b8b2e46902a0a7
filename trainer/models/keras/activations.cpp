#include "trainer/models/keras/activations.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mish.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/selu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/tanh.h>

#include <map>
#include <vector>

#include "base/errors.h"
#include "base/text.h"

namespace sft::keras {
namespace {

using at::Tensor;

const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> all = {
      {"linear", [](const Tensor& x) { return x; }},
      {"relu", [](const Tensor& x) { return at::relu(x); }},
      {"relu6", [](const Tensor& x) { return at::hardtanh(x, 0, 6); }},
      {"leaky_relu", [](const Tensor& x) { return at::leaky_relu(x, 0.2); }},
      {"elu", [](const Tensor& x) { return at::elu(x); }},
      {"selu", [](const Tensor& x) { return at::selu(x); }},
      {"gelu", [](const Tensor& x) { return at::gelu(x); }},
      {"silu", [](const Tensor& x) { return at::silu(x); }},
      {"swish", [](const Tensor& x) { return at::silu(x); }},
      {"mish", [](const Tensor& x) { return at::mish(x); }},
      {"tanh", [](const Tensor& x) { return at::tanh(x); }},
      {"sigmoid", [](const Tensor& x) { return at::sigmoid(x); }},
      {"softplus", [](const Tensor& x) { return at::softplus(x); }},
      {"softsign", [](const Tensor& x) { return x / (x.abs() + 1); }},
      {"exponential", [](const Tensor& x) { return at::exp(x); }},
      {"softmax", [](const Tensor& x) { return at::softmax(x, 1); }},
      {"log_softmax", [](const Tensor& x) { return at::log_softmax(x, 1); }},
  };
  return all;
}

Tensor hard_sigmoid(const Tensor& x, int keras) {
  return keras >= 3 ? at::hardtanh(x + 3, 0, 6) / 6 : at::hardtanh(x * 0.2 + 0.5, 0, 1);
}

}  // namespace

std::string activation_name(const nlohmann::json& activation) {
  if (activation.is_null()) return "linear";
  if (activation.is_string()) return activation.get<std::string>();
  if (activation.is_object() && activation.contains("config") && activation["config"].is_string())
    return activation["config"].get<std::string>();
  return activation.dump();
}

Function activation(const LayerConfig& config, const char* key, int keras) {
  const std::string name = activation_name(config.raw(key));
  if (name == "hard_sigmoid") return [keras](const Tensor& x) { return hard_sigmoid(x, keras); };
  if (name == "hard_swish" || name == "hard_silu") return [](const Tensor& x) { return x * hard_sigmoid(x, 3); };
  if (const auto found = functions().find(name); found != functions().end()) return found->second;
  std::vector<std::string> built = {"hard_sigmoid", "hard_silu"};
  for (const auto& [known, function] : functions()) built.push_back(known);
  config.refuse_setting(
      concat(key, " ", in_quotes(name), " is not built", did_you_mean(name, built), "; built: ", join(built, ", ")));
}

}  // namespace sft::keras
