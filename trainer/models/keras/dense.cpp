// Dense: a fully connected layer over the last dimension.
#include <ATen/ops/linear.h>

#include "base/text.h"
#include "trainer/models/keras/activations.h"
#include "trainer/models/keras/layers.h"

namespace sft::keras {
namespace {

class Dense final : public Layer {
 public:
  explicit Dense(const LayerPlace& place) : Layer(place), activate_(activation(config_, "activation", place.keras)) {
    const Shape& in = require_one_input(place);
    const int64_t units = config_.integer("units", 1, kMostChannels);
    if (in.back() < 0)
      refuse(concat("gets ", text_of(in),
                    ", and the number of its inputs must be known; give the model an input of a "
                    "fixed size"));
    shape_ = in;
    shape_.back() = units;
    variables_ = {{.name = "kernel",
                   .shape = {in.back(), units},
                   .bound = glorot_bound(static_cast<double>(in.back()), static_cast<double>(units)),
                   .decays = true}};
    if (config_.flag("use_bias", true)) variables_.push_back({.name = "bias", .shape = {units}});
  }

  at::Tensor run(const Tensors& x, const Pass& pass) override {
    const at::Tensor& in = x.front();
    const at::Tensor bias = variables().size() > 1 ? value(1) : at::Tensor();
    const at::Tensor y = at::linear(in.movedim(1, -1), value(0).t(), bias).movedim(-1, 1);
    *pass.flops += 2.0 * static_cast<double>(value(0).size(0)) * numbers_a_picture(y);
    return activate_(y);
  }

 private:
  Function activate_;
};

}  // namespace

std::unique_ptr<Layer> make_dense(const LayerPlace& place) { return std::make_unique<Dense>(place); }

}  // namespace sft::keras
