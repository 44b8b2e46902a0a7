#include "data/loading/augment.h"

#include <algorithm>

#include "base/random.h"

namespace sft {
namespace {

// The window whose upper left corner is (top, left) of the image; black outside it.
std::vector<uint8_t> window(const std::vector<uint8_t>& pixels, int64_t height, int64_t width, int64_t top,
                            int64_t left) {
  std::vector<uint8_t> out(pixels.size(), 0);
  const int64_t first = std::max<int64_t>(-left, 0), count = width - std::abs(left);
  for (int64_t y = 0; y < height; ++y) {
    if (y + top < 0 || y + top >= height || count <= 0) continue;
    const auto from = pixels.begin() + ((y + top) * width + first + left) * kChannels;
    std::copy(from, from + count * kChannels, out.begin() + (y * width + first) * kChannels);
  }
  return out;
}

void mirror(std::vector<uint8_t>& pixels, int64_t height, int64_t width) {
  for (int64_t y = 0; y < height; ++y) {
    uint8_t* row = pixels.data() + y * width * kChannels;
    for (int64_t left = 0, right = width - 1; left < right; ++left, --right)
      std::swap_ranges(row + left * kChannels, row + (left + 1) * kChannels, row + right * kChannels);
  }
}

}  // namespace

void augment(std::vector<uint8_t>& pixels, int64_t height, int64_t width, const Augmentation& how, int64_t draw) {
  const uint64_t bits = derive_key(how.seed, "image augmentation", static_cast<uint64_t>(draw));
  if (how.padding > 0) {
    const auto places = static_cast<uint64_t>(2 * how.padding + 1);
    const auto top = static_cast<int64_t>((bits & 0xffffff) % places) - how.padding;
    const auto left = static_cast<int64_t>((bits >> 24 & 0xffffff) % places) - how.padding;
    pixels = window(pixels, height, width, top, left);
  }
  if (how.flip && (bits >> 63) != 0) mirror(pixels, height, width);
}

}  // namespace sft
