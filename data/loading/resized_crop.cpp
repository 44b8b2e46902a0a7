#include "data/loading/resized_crop.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/images/mask.h"
#include "data/loading/even_draws.h"
#include "data/loading/picture_column.h"

namespace sft {
namespace {

constexpr int kTries = 10;

int64_t rounded(double value) { return std::llrint(value); }  // halves to even, as Python does

Window middle(int64_t height, int64_t width, const std::pair<double, double>& ratios) {
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  Window window{.height = height, .width = width};
  if (ratio < ratios.first)
    window.height = std::clamp<int64_t>(rounded(static_cast<double>(width) / ratios.first), 1, height);
  else if (ratio > ratios.second)
    window.width = std::clamp<int64_t>(rounded(static_cast<double>(height) * ratios.second), 1, width);
  window.top = (height - window.height) / 2;
  window.left = (width - window.width) / 2;
  return window;
}

}  // namespace

Window drawn_window(const ResizedCrop& how, int64_t height, int64_t width, uint64_t seed, int64_t draw) {
  EvenDraws draws(seed, "resized crop", draw);
  const double area = static_cast<double>(height) * static_cast<double>(width);
  for (int i = 0; i < kTries; ++i) {
    const double target = area * draws.between(how.scale.first, how.scale.second);
    const double ratio = std::exp(draws.between(std::log(how.ratio.first), std::log(how.ratio.second)));
    Window window{.height = rounded(std::sqrt(target / ratio)), .width = rounded(std::sqrt(target * ratio))};
    if (window.height < 1 || window.height > height || window.width < 1 || window.width > width) continue;
    window.top = draws.below(height - window.height + 1);
    window.left = draws.below(width - window.width + 1);
    return window;
  }
  return middle(height, width, how.ratio);
}

void crop_resized(const std::byte* picture, const Column& column, const ResizedCrop& how, uint64_t seed, int64_t draw,
                  std::byte* out) {
  const auto* stored = reinterpret_cast<const uint8_t*>(picture);
  const int64_t width = column.shape[1];
  const Window window = drawn_window(how, column.shape[0], width, seed, draw);
  const auto leave = [&](const std::vector<uint8_t>& seen) { std::memcpy(out, seen.data(), seen.size()); };
  if (is_mask(column))
    leave(nearest(stored, width, window, how.size, how.size).classes);
  else
    leave(resized(cut(stored, width, window), how.size, how.size, how.interpolation).pixels);
}

}  // namespace sft
