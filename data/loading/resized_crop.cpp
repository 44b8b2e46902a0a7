#include "data/loading/resized_crop.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/random.h"

namespace sft {
namespace {

constexpr int kTries = 10;

// Even numbers in [0, 1), one behind the other.
class Draws {
 public:
  Draws(uint64_t seed, int64_t draw) : key_(derive_key(seed, "resized crop", static_cast<uint64_t>(draw))) {}
  double between(double least, double most) { return least + (most - least) * next(); }
  int64_t below(int64_t bound) {
    return std::min(static_cast<int64_t>(next() * static_cast<double>(bound)), bound - 1);
  }

 private:
  double next() { return static_cast<double>(derive_key(key_, "number", count_++) >> 11) * 0x1p-53; }

  uint64_t key_, count_ = 0;
};

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
  Draws draws(seed, draw);
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

void crop_resized(const std::byte* picture, int64_t height, int64_t width, const ResizedCrop& how, uint64_t seed,
                  int64_t draw, std::byte* out) {
  const Window window = drawn_window(how, height, width, seed, draw);
  const Image seen =
      resized(cut(reinterpret_cast<const uint8_t*>(picture), width, window), how.size, how.size, how.interpolation);
  std::memcpy(out, seen.pixels.data(), seen.pixels.size());
}

}  // namespace sft
