// Dropout and SpatialDropout2D, which drops whole channels. Masks are a function of the sample's draw and of the place
// in the model (trainer/models/blocks/dropout.h).
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros_like.h>

#include "trainer/models/blocks/dropout.h"
#include "trainer/models/keras/layers.h"

namespace sft::keras {
namespace {

class DropoutLayer final : public Layer {
 public:
  explicit DropoutLayer(const LayerPlace& place)
      : Layer(place), key_(dropout_key(place.dropout_seed, place.path)), rate_(config_.number("rate", -1)) {
    shape_ = require_one_input(place);
    if (!(rate_ >= 0 && rate_ < 1)) config_.refuse("rate", "a number from 0, below 1");
    by_channel_ = place.layer.kind == "SpatialDropout2D";
    const nlohmann::json& noise = config_.raw("noise_shape");
    // [null, 1, 1, 1]: a sample falls or stays as a whole.
    by_sample_ = noise.is_array() && noise.size() == shape_.size() + 1 && noise[0].is_null();
    for (size_t d = 1; by_sample_ && d < noise.size(); ++d) by_sample_ = noise[d] == 1;
    if (!noise.is_null() && !by_sample_) config_.refuse_setting("noise_shape is built for whole samples alone");
  }

  at::Tensor run(const Tensors& x, const Pass& pass) override {
    const at::Tensor& in = x.front();
    if (pass.mode != Mode::training || rate_ == 0 || in.size(0) == 0) return in;
    if (!by_channel_ && !by_sample_) return dropped_rows(in.flatten(1), pass).view(in.sizes());
    const int64_t kept = by_sample_ ? 1 : in.size(1);
    at::Tensor mask = dropped_rows(at::ones({in.size(0), kept}, in.options()), pass);
    while (mask.dim() < in.dim()) mask = mask.unsqueeze(-1);
    return in * mask;
  }

 private:
  at::Tensor dropped_rows(const at::Tensor& rows_BC, const Pass& pass) const {
    return keyed_dropout(rows_BC.contiguous(), key_, pass.draws_B, at::zeros_like(pass.draws_B), rate_);
  }

  DropoutKey key_;
  double rate_;
  bool by_channel_ = false, by_sample_ = false;
};

}  // namespace

std::unique_ptr<Layer> make_dropout(const LayerPlace& place) { return std::make_unique<DropoutLayer>(place); }

}  // namespace sft::keras
