// Rescaling and Normalization: what a model does to pixels itself.
#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "base/text.h"
#include "trainer/models/blocks/sent.h"
#include "trainer/models/keras/layers.h"

namespace sft::keras {
namespace {

// A number, or one a channel; a list in a list as Keras 2 writes it, or {"config": {"value": …}} as Keras 3 does an array.
std::vector<double> numbers_in(const nlohmann::json& value) {
  std::vector<double> all;
  if (value.is_number()) return {value.get<double>()};
  if (value.is_object() && value.contains("config")) return numbers_in(value["config"]);
  if (value.is_object() && value.contains("value")) return numbers_in(value["value"]);
  if (!value.is_array()) return {};
  for (const nlohmann::json& one : value) {
    const std::vector<double> inner = numbers_in(one);
    all.insert(all.end(), inner.begin(), inner.end());
  }
  return all;
}

class Rescaling final : public Layer {
 public:
  explicit Rescaling(const LayerPlace& place) : Layer(place) {
    shape_ = require_one_input(place);
    scale_ = numbers("scale"), offset_ = config_.raw("offset").is_null() ? std::vector{0.0} : numbers("offset");
  }
  at::Tensor run(const Tensors& x, const Pass&) override {
    const at::Tensor& in = x.front();
    return in * by_channel(scale_, in) + by_channel(offset_, in);
  }

 private:
  std::vector<double> numbers(const char* key) const {
    std::vector<double> all = numbers_in(config_.raw(key));
    if (all.size() != 1 && static_cast<int64_t>(all.size()) != shape_.back())
      config_.refuse(key, "a number, or one for each channel");
    return all;
  }
  static at::Tensor by_channel(const std::vector<double>& numbers, const at::Tensor& x) {
    Shape shape(static_cast<size_t>(x.dim()), 1);
    shape[1] = static_cast<int64_t>(numbers.size());
    return sent(at::tensor(numbers, at::kDouble), x.options()).view(shape);
  }

  std::vector<double> scale_, offset_;
};

// (x − mean) / max(√variance, 1e-7), by channel. The numbers stand in the config where they were given, and are weights
// where they were learned from data.
class Normalization final : public Layer {
 public:
  explicit Normalization(const LayerPlace& place) : Layer(place) {
    shape_ = require_one_input(place);
    config_.require_absent({"invert"});
    const nlohmann::json& axis = config_.raw("axis");
    const nlohmann::json& one = axis.is_array() && axis.size() == 1 ? axis[0] : axis;
    by_channel_ = one == -1 || one == shape_.size();
    if (!by_channel_ && !axis.is_null() && !(axis.is_array() && axis.empty()))
      config_.refuse_setting("only axis = -1, the channels, and axis = None are built");
    const Shape numbers = by_channel_ ? Shape{shape_.back()} : Shape{};
    given_mean_ = numbers_in(config_.raw("mean")), given_variance_ = numbers_in(config_.raw("variance"));
    if (!given_mean_.empty()) {
      require_given();
      return;
    }
    variables_ = {{.name = "mean", .shape = numbers, .trains = false},
                  {.name = "variance", .shape = numbers, .start = 1, .trains = false}};
  }

  at::Tensor run(const Tensors& x, const Pass&) override {
    const at::Tensor& in = x.front();
    const bool is_given = !given_mean_.empty();
    const at::Tensor mean = is_given ? sent(at::tensor(given_mean_, at::kDouble), in.options()) : value(0);
    const at::Tensor variance = is_given ? sent(at::tensor(given_variance_, at::kDouble), in.options()) : value(1);
    Shape shape(static_cast<size_t>(in.dim()), 1);
    shape[1] = mean.numel();
    return (in - mean.view(shape)) / variance.sqrt().clamp_min(1e-7).view(shape);
  }

 private:
  void require_given() const {
    const auto fits = [&](const std::vector<double>& numbers) {
      return numbers.size() == 1 || static_cast<int64_t>(numbers.size()) == shape_.back();
    };
    if (!fits(given_mean_) || !fits(given_variance_)) config_.refuse("mean and variance must be a number a channel");
  }

  bool by_channel_ = true;
  std::vector<double> given_mean_, given_variance_;
};

}  // namespace

std::unique_ptr<Layer> make_rescaling(const LayerPlace& place) { return std::make_unique<Rescaling>(place); }
std::unique_ptr<Layer> make_normalization(const LayerPlace& place) { return std::make_unique<Normalization>(place); }

}  // namespace sft::keras
