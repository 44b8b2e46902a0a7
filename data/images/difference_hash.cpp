#include "data/images/difference_hash.h"

#include <bit>

#include "data/images/resize.h"

namespace sft {
namespace {

// As PIL's convert("L").
int integer_grey(const uint8_t* rgb) { return (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16; }

}  // namespace

uint64_t difference_hash(const Image& image) {
  constexpr int64_t kRows = 8, kColumns = 9;
  const Image small = resized(image, kRows, kColumns);
  uint64_t hash = 0;
  for (int64_t y = 0; y < kRows; ++y)
    for (int64_t x = 0; x + 1 < kColumns; ++x) {
      const uint8_t* left = &small.pixels[static_cast<size_t>((y * kColumns + x) * kChannels)];
      hash = hash << 1 | (integer_grey(left) > integer_grey(left + kChannels) ? 1 : 0);
    }
  return hash;
}

int different_bits(uint64_t a, uint64_t b) { return std::popcount(a ^ b); }

}  // namespace sft
