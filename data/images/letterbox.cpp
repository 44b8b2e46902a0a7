#include "data/images/letterbox.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace sft {
namespace {

// By transformers' get_image_size_for_max_height_width(), whose product in double may be a hair below the side.
struct Fitted {
  int64_t height, width;
};

Fitted fitted(int64_t height, int64_t width, int64_t side) {
  const auto scale = std::min(static_cast<double>(side) / static_cast<double>(height),
                              static_cast<double>(side) / static_cast<double>(width));
  const auto scaled = [scale](int64_t pixels) {
    return std::max<int64_t>(static_cast<int64_t>(static_cast<double>(pixels) * scale), 1);
  };
  return {scaled(height), scaled(width)};
}

}  // namespace

View scaled(const View& view, double by_x, double by_y, double left, double top) {
  return {.scale_x = static_cast<float>(view.scale_x * by_x),
          .scale_y = static_cast<float>(view.scale_y * by_y),
          .left = static_cast<float>(view.left * by_x - left),
          .top = static_cast<float>(view.top * by_y - top)};
}

View letterbox_view(int64_t height, int64_t width, int64_t side) {
  const Fitted to = fitted(height, width, side);
  return {.scale_x = static_cast<float>(static_cast<double>(to.width) / static_cast<double>(width)),
          .scale_y = static_cast<float>(static_cast<double>(to.height) / static_cast<double>(height))};
}

Colour padding_colour(std::span<const double> mean) {
  constexpr double kImageNet[] = {0.485, 0.456, 0.406};
  Colour colour{};
  for (size_t c = 0; c < colour.size(); ++c) {
    const double share = mean.empty() ? kImageNet[c] : mean[c % mean.size()];
    colour[c] = static_cast<uint8_t>(std::clamp(std::lround(share * 255.0), 0L, 255L));
  }
  return colour;
}

Image letterboxed(const Image& image, int64_t side, Interpolation how, const Colour& beside) {
  const Fitted to = fitted(image.height, image.width, side);
  const Image content = resized(image, to.height, to.width, how);
  Image out{side, side, std::vector<uint8_t>(static_cast<size_t>(side * side * kChannels))};
  for (size_t p = 0; p < out.pixels.size(); ++p) out.pixels[p] = beside[p % beside.size()];
  for (int64_t y = 0; y < to.height; ++y)
    std::memcpy(out.pixels.data() + y * side * kChannels, content.pixels.data() + y * to.width * kChannels,
                static_cast<size_t>(to.width * kChannels));
  return out;
}

}  // namespace sft
