#include "data/loading/scaled_crop.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/images/mask.h"
#include "data/loading/even_draws.h"
#include "data/loading/picture_column.h"

namespace sft {

DrawnScale drawn_scale(const ScaledCrop& how, uint64_t seed, int64_t draw) {
  EvenDraws draws(seed, "scaled crop", draw);
  const double factor = draws.between(how.scale.first, how.scale.second);
  const auto scaled = [&](int64_t side) {
    return std::max<int64_t>(std::llrint(static_cast<double>(side) * factor), 1);
  };
  DrawnScale drawn{.height = scaled(how.height), .width = scaled(how.width)};
  const auto corner = [&](int64_t side, int64_t window) {
    const int64_t room = side - window;
    return room >= 0 ? draws.below(room + 1) : room + draws.below(1 - room);
  };
  drawn.top = corner(drawn.height, how.height);
  drawn.left = corner(drawn.width, how.width);
  return drawn;
}

namespace {

// Copies what a window shows of rows of pixels; what lies beside them stays as it is.
void copy_window(const uint8_t* pixels, const DrawnScale& drawn, int64_t pixel_bytes, const ScaledCrop& how,
                 uint8_t* out) {
  const int64_t first = std::max<int64_t>(drawn.left, 0), end = std::min(drawn.left + how.width, drawn.width);
  for (int64_t y = std::max<int64_t>(drawn.top, 0); y < std::min(drawn.top + how.height, drawn.height); ++y)
    std::memcpy(out + ((y - drawn.top) * how.width + first - drawn.left) * pixel_bytes,
                pixels + (y * drawn.width + first) * pixel_bytes, static_cast<size_t>((end - first) * pixel_bytes));
}

}  // namespace

void crop_scaled(const std::byte* picture, const Column& column, const ScaledCrop& how, uint64_t seed, int64_t draw,
                 std::byte* out) {
  const auto* stored = reinterpret_cast<const uint8_t*>(picture);
  auto* to = reinterpret_cast<uint8_t*>(out);
  const int64_t height = column.shape[0], width = column.shape[1];
  const DrawnScale drawn = drawn_scale(how, seed, draw);
  const Window whole{0, 0, height, width};
  const int64_t pixels = how.height * how.width;
  if (is_mask(column)) {
    std::memset(to, kNoClass, static_cast<size_t>(pixels));
    copy_window(nearest(stored, width, whole, drawn.height, drawn.width).classes.data(), drawn, 1, how, to);
  } else {
    for (int64_t i = 0; i < pixels; ++i) std::memcpy(to + i * kChannels, how.beside.data(), kChannels);
    copy_window(resized(cut(stored, width, whole), drawn.height, drawn.width, how.interpolation).pixels.data(), drawn,
                kChannels, how, to);
  }
}

}  // namespace sft
