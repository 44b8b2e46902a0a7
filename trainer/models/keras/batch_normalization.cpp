// BatchNormalization. With momentum m Keras keeps m of the moving statistics, where torch keeps 1 − m. The moving
// variance takes its share of the biased variance in Keras 3, and in Keras 2, whose kernel for pictures is a fused one,
// of the unbiased variance of pictures and of the biased one of rows.
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "trainer/models/keras/layers.h"

namespace sft::keras {
namespace {

class BatchNormalization final : public Layer {
 public:
  explicit BatchNormalization(const LayerPlace& place) : Layer(place) {
    shape_ = require_one_input(place);
    require_last_axis();
    const double momentum = config_.number("momentum", 0.99);
    norm_.eps = config_.number("epsilon", 1e-3);
    if (!(momentum >= 0 && momentum <= 1)) config_.refuse("momentum", "a number from 0 to 1");
    if (!(norm_.eps >= 0)) config_.refuse("epsilon", "a number from 0");
    if (shape_.back() < 1) refuse("the number of its channels must be known");
    norm_.momentum = 1 - momentum;
    norm_.unbiased = place.keras < 3 && shape_.size() == 3;
    const Shape channels = {shape_.back()};
    scales_ = config_.flag("scale", true), centers_ = config_.flag("center", true);
    if (scales_) variables_.push_back({.name = "gamma", .shape = channels, .start = 1});
    if (centers_) variables_.push_back({.name = "beta", .shape = channels});
    variables_.push_back({.name = "moving_mean", .shape = channels, .trains = false});
    variables_.push_back({.name = "moving_variance", .shape = channels, .start = 1, .trains = false});
  }

  void hold(const Tensors& values, const at::Tensor& nearest) override {
    Layer::hold(values, nearest);
    const at::TensorOptions options = values.back().options();
    size_t next = 0;
    norm_.weight = scales_ ? values[next++] : at::ones({shape_.back()}, options);
    norm_.bias = centers_ ? values[next++] : at::zeros({shape_.back()}, options);
    norm_.running_mean = values[next++];
    norm_.running_var = values[next];
    norm_.num_batches_tracked = at::zeros({}, options.dtype(at::kLong));  // Keras counts none
  }

  at::Tensor run(const Tensors& x, const Pass& pass) override {
    const at::Tensor& in = x.front();
    const at::Tensor x_BCHW = in.dim() == 2 ? in.unsqueeze(2).unsqueeze(3) : in;
    const bool trains = norm_.weight.requires_grad() || norm_.bias.requires_grad() || trains_as_nearest();
    const BatchNormRule& rule = pass.batch_norm;
    const bool by_batch =
        pass.mode == Mode::training && rule.mode != BatchNormMode::frozen && (trains || !rule.still_where_frozen);
    const at::Tensor y_BCHW =
        by_batch ? batch_norm_by_batch(x_BCHW, norm_, rule.mode == BatchNormMode::synchronized ? rule.over : nullptr)
                 : batch_norm_by_running(x_BCHW, norm_);
    return y_BCHW.view(in.sizes());
  }

 private:
  // Nothing of its own says whether it is frozen.
  bool trains_as_nearest() const {
    return !scales_ && !centers_ && (!nearest().defined() || nearest().requires_grad());
  }

  // A number, or Keras 2's list of one.
  void require_last_axis() const {
    const nlohmann::json& axis = config_.raw("axis");
    const nlohmann::json& one = axis.is_array() && axis.size() == 1 ? axis[0] : axis;
    if (one.is_null() || one == -1 || one == shape_.size()) return;
    config_.refuse_setting("only axis = -1, the channels, is built");
  }

  BatchNorm norm_;
  bool scales_ = true, centers_ = true;
};

}  // namespace

std::unique_ptr<Layer> make_batch_normalization(const LayerPlace& place) {
  return std::make_unique<BatchNormalization>(place);
}

}  // namespace sft::keras
