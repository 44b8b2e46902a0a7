// ZeroPadding2D, Flatten and Reshape. The order of a picture's numbers is Keras's: height, width, channels.
#include <ATen/ops/constant_pad_nd.h>

#include <array>

#include "base/text.h"
#include "trainer/models/keras/layers.h"

namespace sft::keras {
namespace {

constexpr int64_t kMostPadding = 1 << 16;

class ZeroPadding final : public Layer {
 public:
  explicit ZeroPadding(const LayerPlace& place) : Layer(place) {
    shape_ = require_picture(place);
    config_.require_channels_last();
    const nlohmann::json& padding = config_.raw("padding");
    if (padding.is_array() && padding.size() == 2 && padding[0].is_array()) {
      height_ = sides(padding[0]), width_ = sides(padding[1]);
    } else {
      const auto [height, width] = config_.pair("padding", 1, 0, kMostPadding);
      height_ = {height, height}, width_ = {width, width};
    }
    if (shape_[0] >= 0) shape_[0] += height_[0] + height_[1];
    if (shape_[1] >= 0) shape_[1] += width_[0] + width_[1];
  }

  at::Tensor run(const Tensors& x, const Pass&) override {
    return at::constant_pad_nd(x.front(), {width_[0], width_[1], height_[0], height_[1]}, 0);
  }

 private:
  std::array<int64_t, 2> sides(const nlohmann::json& pair) const {
    const auto good = [](const nlohmann::json& one) {
      return one.is_number_integer() && one >= 0 && one <= kMostPadding;
    };
    if (!pair.is_array() || pair.size() != 2 || !good(pair[0]) || !good(pair[1]))
      config_.refuse("padding", "a number, two, or a pair of pairs");
    return {pair[0].get<int64_t>(), pair[1].get<int64_t>()};
  }

  std::array<int64_t, 2> height_{}, width_{};
};

// −1 where a side is not known.
int64_t size_of(const Shape& shape) {
  int64_t size = 1;
  for (const int64_t side : shape)
    if (side < 0 || __builtin_mul_overflow(size, side, &size)) return -1;
  return size;
}

// [B, C, H, W] → [B, H · W · C].
at::Tensor flat(const at::Tensor& x) { return x.dim() == 4 ? x.permute({0, 2, 3, 1}).flatten(1) : x; }

class Flatten final : public Layer {
 public:
  explicit Flatten(const LayerPlace& place) : Layer(place) {
    config_.require_channels_last();
    shape_ = {size_of(require_one_input(place))};
  }
  at::Tensor run(const Tensors& x, const Pass&) override { return flat(x.front()); }
};

class Reshape final : public Layer {
 public:
  explicit Reshape(const LayerPlace& place) : Layer(place) {
    const int64_t size = size_of(require_one_input(place));
    const nlohmann::json& target = config_.raw("target_shape");
    const bool is_list = target.is_array() && (target.size() == 1 || target.size() == 3);
    int64_t known = 1;
    for (size_t d = 0; is_list && d < target.size(); ++d) {
      if (!target[d].is_number_integer() || target[d] < -1 || target[d] == 0 || target[d] > (1 << 30)) break;
      shape_.push_back(target[d].get<int64_t>());
      if (shape_.back() > 0 && __builtin_mul_overflow(known, shape_.back(), &known)) refuse("is too large");
    }
    if (!is_list || shape_.size() != target.size())
      config_.refuse("target_shape", "a list of one or three sizes ([height, width, channels])");
    if (size < 0) refuse("reshapes a picture whose size the model does not fix");
    for (int64_t& side : shape_)
      if (side < 0) side = size % known == 0 ? size / known : 0;
    if (size_of(shape_) != size) refuse(concat("gets ", text_of(place.inputs.front()), " and gives ", text_of(shape_)));
  }

  at::Tensor run(const Tensors& x, const Pass&) override {
    const at::Tensor rows = flat(x.front());
    if (shape_.size() == 1) return rows;
    return rows.reshape({rows.size(0), shape_[0], shape_[1], shape_[2]}).permute({0, 3, 1, 2});
  }
};

}  // namespace

std::unique_ptr<Layer> make_zero_padding(const LayerPlace& place) { return std::make_unique<ZeroPadding>(place); }
std::unique_ptr<Layer> make_flatten(const LayerPlace& place) { return std::make_unique<Flatten>(place); }
std::unique_ptr<Layer> make_reshape(const LayerPlace& place) { return std::make_unique<Reshape>(place); }

}  // namespace sft::keras
