// Convolutions. Kernels are [height, width, in, out] in files and here, and become torch's [out, in, height, width] for
// the pass.
#include <ATen/ops/conv2d.h>

#include <optional>

#include "base/text.h"
#include "trainer/models/keras/activations.h"
#include "trainer/models/keras/layers.h"
#include "trainer/models/keras/windows.h"

namespace sft::keras {
namespace {

constexpr int64_t kMostKernel = 1024;

void add_flops(const Pass& pass, const at::Tensor& y_BCHW, const at::Tensor& kernel_OIHW) {
  *pass.flops += 2.0 * numbers_a_picture(y_BCHW) * static_cast<double>(kernel_OIHW[0].numel());
}

at::Tensor convolve(const at::Tensor& x_BCHW, const at::Tensor& kernel_OIHW, const std::optional<at::Tensor>& bias,
                    const Window& window, int64_t groups, const Pass& pass) {
  const auto [top, bottom] = window.padding(x_BCHW.size(2), 0);
  const auto [left, right] = window.padding(x_BCHW.size(3), 1);
  const bool is_even = top == bottom && left == right;
  const std::array<int64_t, 2> around = is_even ? std::array{top, left} : std::array<int64_t, 2>{0, 0};
  const at::Tensor y_BCHW = at::conv2d(is_even ? x_BCHW : window.padded(x_BCHW, 0), kernel_OIHW, bias, window.stride,
                                       around, window.dilation, groups);
  add_flops(pass, y_BCHW, kernel_OIHW);
  return y_BCHW;
}

// [h, w, in, m] → [in · m, 1, h, w]: Keras's channel c · m + k is filter k of channel c.
at::Tensor depthwise(const at::Tensor& kernel_HWIM) {
  const at::Tensor kernel_IMHW = kernel_HWIM.permute({2, 3, 0, 1});
  return kernel_IMHW.reshape({-1, 1, kernel_HWIM.size(0), kernel_HWIM.size(1)});
}

class Convolution : public Layer {
 public:
  explicit Convolution(const LayerPlace& place)
      : Layer(place), picture_(require_picture(place)), activate_(activation(config_, "activation", place.keras)) {
    config_.require_channels_last();
    window_ = read_window(config_, "kernel_size", picture_);
    for (const size_t along : {size_t{0}, size_t{1}}) {
      if (window_.size[along] > kMostKernel) config_.refuse("kernel_size", concat("at most ", kMostKernel));
      if (window_.stride[along] > 1 && window_.dilation[along] > 1)
        config_.refuse_setting("strides and dilation_rate above 1 together are not built");
    }
    if (picture_[2] < 1) refuse("the number of its channels must be known");
  }

 protected:
  void give(int64_t channels) {
    if (channels > kMostChannels) refuse(concat("more than ", kMostChannels, " channels"));
    shape_ = {window_.side(picture_[0], 0), window_.side(picture_[1], 1), channels};
  }
  void add_kernel(const char* name, const Shape& shape, double fan_in, double fan_out) {
    variables_.push_back({.name = name, .shape = shape, .bound = glorot_bound(fan_in, fan_out), .decays = true});
  }
  void add_bias(int64_t channels) {
    has_bias_ = config_.flag("use_bias", true);
    if (has_bias_) variables_.push_back({.name = "bias", .shape = {channels}});
  }
  std::optional<at::Tensor> bias() const {
    if (!has_bias_) return {};
    return value(variables().size() - 1);
  }

  Shape picture_;
  Window window_;
  bool has_bias_ = false;
  Function activate_;
};

class Conv2D final : public Convolution {
 public:
  explicit Conv2D(const LayerPlace& place)
      : Convolution(place), groups_(config_.integer("groups", 1, 1, kMostChannels)) {
    const int64_t in = picture_[2], out = config_.integer("filters", 1, kMostChannels);
    if (in % groups_ != 0 || out % groups_ != 0)
      refuse(concat("groups ", groups_, " must divide its ", in, " channels and its ", out, " filters"));
    const double field = static_cast<double>(window_.size[0] * window_.size[1]);
    add_kernel("kernel", {window_.size[0], window_.size[1], in / groups_, out},
               field * static_cast<double>(in / groups_), field * static_cast<double>(out));
    add_bias(out);
    give(out);
  }
  at::Tensor run(const Tensors& x, const Pass& pass) override {
    return activate_(convolve(x.front(), value(0).permute({3, 2, 0, 1}), bias(), window_, groups_, pass));
  }

 private:
  int64_t groups_;
};

class DepthwiseConv2D final : public Convolution {
 public:
  explicit DepthwiseConv2D(const LayerPlace& place) : Convolution(place) {
    const int64_t in = picture_[2], each = config_.integer("depth_multiplier", 1, 1, kMostChannels);
    const double field = static_cast<double>(window_.size[0] * window_.size[1]);
    add_kernel(place.keras >= 3 ? "kernel" : "depthwise_kernel", {window_.size[0], window_.size[1], in, each},
               field * static_cast<double>(in), field * static_cast<double>(each));
    add_bias(in * each);
    give(in * each);
  }
  at::Tensor run(const Tensors& x, const Pass& pass) override {
    return activate_(convolve(x.front(), depthwise(value(0)), bias(), window_, picture_[2], pass));
  }
};

class SeparableConv2D final : public Convolution {
 public:
  explicit SeparableConv2D(const LayerPlace& place) : Convolution(place) {
    const int64_t in = picture_[2], each = config_.integer("depth_multiplier", 1, 1, kMostChannels);
    const int64_t out = config_.integer("filters", 1, kMostChannels);
    const double field = static_cast<double>(window_.size[0] * window_.size[1]);
    if (in * each > kMostChannels) refuse(concat("more than ", kMostChannels, " channels"));
    add_kernel("depthwise_kernel", {window_.size[0], window_.size[1], in, each}, field * static_cast<double>(in),
               field * static_cast<double>(each));
    add_kernel("pointwise_kernel", {1, 1, in * each, out}, static_cast<double>(in * each), static_cast<double>(out));
    add_bias(out);
    give(out);
  }
  at::Tensor run(const Tensors& x, const Pass& pass) override {
    const at::Tensor each = convolve(x.front(), depthwise(value(0)), {}, window_, picture_[2], pass);
    const Window point = {.size = {1, 1}, .stride = {1, 1}};
    return activate_(convolve(each, value(1).permute({3, 2, 0, 1}), bias(), point, 1, pass));
  }
};

}  // namespace

std::unique_ptr<Layer> make_convolution(const LayerPlace& place) { return std::make_unique<Conv2D>(place); }
std::unique_ptr<Layer> make_depthwise_convolution(const LayerPlace& place) {
  return std::make_unique<DepthwiseConv2D>(place);
}
std::unique_ptr<Layer> make_separable_convolution(const LayerPlace& place) {
  return std::make_unique<SeparableConv2D>(place);
}

}  // namespace sft::keras
