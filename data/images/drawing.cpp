#include "data/images/drawing.h"

#include <algorithm>
#include <cmath>

namespace sft {
namespace {

void fill(Image& image, int64_t left, int64_t top, int64_t right, int64_t bottom, const Colour& colour) {
  for (int64_t y = std::max<int64_t>(top, 0); y < std::min(bottom, image.height); ++y)
    for (int64_t x = std::max<int64_t>(left, 0); x < std::min(right, image.width); ++x)
      std::ranges::copy(colour, image.pixels.begin() + (y * image.width + x) * kChannels);
}

}  // namespace

void draw_outline(Image& image, const std::array<double, 4>& corners, int64_t width, const Colour& colour) {
  const auto pixel = [](double at, int64_t side) {
    return std::llround(std::clamp(at, -1e6, static_cast<double>(side) + 1e6));
  };
  const int64_t left = pixel(corners[0], image.width), top = pixel(corners[1], image.height);
  const int64_t right = pixel(corners[2], image.width), bottom = pixel(corners[3], image.height);
  fill(image, left, top, right, std::min(top + width, bottom), colour);
  fill(image, left, std::max(bottom - width, top), right, bottom, colour);
  fill(image, left, top, std::min(left + width, right), bottom, colour);
  fill(image, std::max(right - width, left), top, right, bottom, colour);
}

}  // namespace sft
