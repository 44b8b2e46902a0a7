// Activation, ReLU, LeakyReLU, ELU and Softmax.
#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/where.h>

#include <limits>

#include "trainer/models/keras/activations.h"
#include "trainer/models/keras/layers.h"

namespace sft::keras {
namespace {

constexpr double kNoMost = std::numeric_limits<double>::infinity();

// max_value where x ≥ max_value, x where threshold ≤ x, slope · (x − threshold) below.
Function relu_of(const LayerConfig& config) {
  const double most = config.number("max_value", kNoMost), slope = config.number("negative_slope", 0);
  const double threshold = config.number("threshold", 0);
  if (most < 0 || slope < 0 || threshold < 0)
    config.refuse("max_value, negative_slope and threshold must be 0 or above");
  return [=](const at::Tensor& x) {
    at::Tensor y = threshold == 0 ? (slope == 0 ? at::relu(x) : at::leaky_relu(x, slope))
                                  : at::where(x >= threshold, x, (x - threshold) * slope);
    return most < kNoMost ? at::clamp_max(y, most) : y;
  };
}

// Keras 2 calls the slope "alpha", Keras 3 "negative_slope"; a list is what Keras 2 wrote of a NumPy number.
double slope_of(const LayerConfig& config) {
  for (const char* key : {"negative_slope", "alpha"}) {
    const nlohmann::json& value = config.raw(key);
    if (value.is_object() && value.contains("value") && value["value"].is_number()) return value["value"].get<double>();
    if (!value.is_null()) return config.number(key, 0);
  }
  return 0.3;
}

void require_channels(const LayerConfig& config, size_t rank) {
  const nlohmann::json& axis = config.raw("axis");
  const nlohmann::json& one = axis.is_array() && axis.size() == 1 ? axis[0] : axis;
  if (!one.is_null() && one != -1 && one != rank) config.refuse_setting("only axis = -1, the channels, is built");
}

Function function_of(const LayerConfig& config, const LayerPlace& place) {
  const std::string& kind = place.layer.kind;
  if (kind == "Activation") return activation(config, "activation", place.keras);
  if (kind == "ReLU") return relu_of(config);
  if (kind == "LeakyReLU") return [slope = slope_of(config)](const at::Tensor& x) { return at::leaky_relu(x, slope); };
  if (kind == "ELU") return [alpha = config.number("alpha", 1.0)](const at::Tensor& x) { return at::elu(x, alpha); };
  require_channels(config, place.inputs.front().size());
  return [](const at::Tensor& x) { return at::softmax(x, 1); };
}

class Pointwise final : public Layer {
 public:
  explicit Pointwise(const LayerPlace& place) : Layer(place) {
    shape_ = require_one_input(place);
    function_ = function_of(config_, place);
  }
  at::Tensor run(const Tensors& x, const Pass&) override { return function_(x.front()); }

 private:
  Function function_;
};

}  // namespace

std::unique_ptr<Layer> make_activation(const LayerPlace& place) { return std::make_unique<Pointwise>(place); }

}  // namespace sft::keras
