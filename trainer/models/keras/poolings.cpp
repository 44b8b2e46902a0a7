// MaxPooling2D, AveragePooling2D and their global forms. What "same" lays around a picture is −∞ for a maximum, and
// does not count in an average.
#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/ones.h>

#include <limits>

#include "trainer/models/keras/layers.h"
#include "trainer/models/keras/windows.h"

namespace sft::keras {
namespace {

class Pooling final : public Layer {
 public:
  explicit Pooling(const LayerPlace& place) : Layer(place), takes_most_(place.layer.kind == "MaxPooling2D") {
    const Shape& picture = require_picture(place);
    config_.require_channels_last();
    window_ = read_window(config_, "pool_size", picture);
    shape_ = {window_.side(picture[0], 0), window_.side(picture[1], 1), picture[2]};
  }

  at::Tensor run(const Tensors& x, const Pass&) override {
    const at::Tensor& x_BCHW = x.front();
    if (takes_most_)
      return at::max_pool2d(window_.padded(x_BCHW, -std::numeric_limits<double>::infinity()), window_.size,
                            window_.stride);
    const at::Tensor around = window_.padded(x_BCHW, 0);
    if (around.is_same(x_BCHW)) return at::avg_pool2d(x_BCHW, window_.size, window_.stride);
    const at::Tensor ones = at::ones({1, 1, x_BCHW.size(2), x_BCHW.size(3)}, x_BCHW.options());
    return sums(around) / sums(window_.padded(ones, 0));
  }

 private:
  at::Tensor sums(const at::Tensor& x) const {
    return at::avg_pool2d(x, window_.size, window_.stride, /*padding=*/0, /*ceil_mode=*/false,
                          /*count_include_pad=*/true, /*divisor_override=*/1);
  }

  bool takes_most_;
  Window window_;
};

class GlobalPooling final : public Layer {
 public:
  explicit GlobalPooling(const LayerPlace& place)
      : Layer(place), takes_most_(place.layer.kind == "GlobalMaxPooling2D"), keeps_(config_.flag("keepdims", false)) {
    config_.require_channels_last();
    const int64_t channels = require_picture(place)[2];
    shape_ = keeps_ ? Shape{1, 1, channels} : Shape{channels};
  }

  at::Tensor run(const Tensors& x, const Pass&) override {
    return takes_most_ ? x.front().amax({2, 3}, keeps_) : x.front().mean({2, 3}, keeps_);
  }

 private:
  bool takes_most_, keeps_;
};

}  // namespace

std::unique_ptr<Layer> make_pooling(const LayerPlace& place) { return std::make_unique<Pooling>(place); }
std::unique_ptr<Layer> make_global_pooling(const LayerPlace& place) { return std::make_unique<GlobalPooling>(place); }

}  // namespace sft::keras
