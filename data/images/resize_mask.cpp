// A pixel of what comes out is the one whose middle lies nearest to its own, as PIL's Geometry.c chooses it.
#include <algorithm>

#include "data/images/resize.h"

namespace sft {

Mask nearest(const uint8_t* classes, int64_t width, const Window& window, int64_t to_height, int64_t to_width) {
  Mask out{to_height, to_width, std::vector<uint8_t>(static_cast<size_t>(to_height * to_width)), {}};
  const auto places = [](int64_t first, int64_t size, int64_t count) {
    std::vector<int64_t> of(static_cast<size_t>(count));
    const double step = static_cast<double>(size) / static_cast<double>(count);
    double at = 0.5 * step;  // added up, as PIL does: a product falls on the other side of some borders
    for (int64_t i = 0; i < count; ++i, at += step)
      of[static_cast<size_t>(i)] = first + std::min(static_cast<int64_t>(at), size - 1);
    return of;
  };
  const std::vector<int64_t> rows = places(window.top, window.height, to_height),
                             columns = places(window.left, window.width, to_width);
  uint8_t* to = out.classes.data();
  for (const int64_t y : rows)
    for (const int64_t x : columns) *to++ = classes[y * width + x];
  return out;
}

Mask resized(const Mask& mask, int64_t height, int64_t width) {
  return nearest(mask.classes.data(), mask.width, {0, 0, mask.height, mask.width}, height, width);
}

Mask covering(const Mask& mask, int64_t size) {
  const Covered covered = covered_by(mask.height, mask.width, size);
  const Mask large = resized(mask, covered.height, covered.width);
  return nearest(large.classes.data(), large.width, covered.middle, size, size);
}

}  // namespace sft
