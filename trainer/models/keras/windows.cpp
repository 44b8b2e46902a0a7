#include "trainer/models/keras/windows.h"

#include <ATen/ops/constant_pad_nd.h>

#include <algorithm>

#include "base/errors.h"
#include "base/text.h"

namespace sft::keras {
namespace {

constexpr int64_t kMostSide = 4096;

}  // namespace

int64_t Window::side(int64_t in, size_t along) const {
  if (in < 0) return -1;
  if (same) return (in + stride[along] - 1) / stride[along];
  const int64_t room = in - (size[along] - 1) * dilation[along] - 1;
  return room < 0 ? 0 : room / stride[along] + 1;
}

std::array<int64_t, 2> Window::padding(int64_t in, size_t along) const {
  if (!same) return {0, 0};
  const int64_t out = side(in, along);
  const int64_t all = std::max<int64_t>((out - 1) * stride[along] + (size[along] - 1) * dilation[along] + 1 - in, 0);
  return {all / 2, all - all / 2};
}

at::Tensor Window::padded(const at::Tensor& x, double value) const {
  const auto [top, bottom] = padding(x.size(2), 0);
  const auto [left, right] = padding(x.size(3), 1);
  if (top + bottom + left + right == 0) return x;
  return at::constant_pad_nd(x, {left, right, top, bottom}, value);
}

Window read_window(const LayerConfig& config, const char* size_key, const Shape& picture) {
  Window window;
  const bool pools = std::string_view(size_key) == "pool_size";
  window.size = config.pair(size_key, pools ? 2 : 0, 1, kMostSide);
  if (window.size[0] == 0) config.refuse(size_key, concat("an integer from 1 to ", kMostSide, ", or two of them"));
  const bool steps_by_size = pools && config.raw("strides").is_null();
  window.stride = steps_by_size ? window.size : config.pair("strides", 1, 1, kMostSide);
  window.dilation = config.pair("dilation_rate", 1, 1, kMostSide);
  window.same = config.word("padding", {"valid", "same"}) == "same";
  for (const size_t along : {size_t{0}, size_t{1}})
    if (picture[along] >= 0 && window.side(picture[along], along) < 1)
      config.refuse(concat("its window of ", window.size[0], " × ", window.size[1], " is larger than the ",
                           text_of(picture), " that it gets"));
  return window;
}

}  // namespace sft::keras
