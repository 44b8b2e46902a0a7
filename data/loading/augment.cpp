#include "data/loading/augment.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/random.h"

namespace sft {
namespace {

struct Picture {
  std::byte* pixels;
  int64_t height, width, pixel_bytes;
  int beside;  // what a pixel's bytes are outside it
  int64_t row_bytes() const { return width * pixel_bytes; }
};

// Leaves the window whose upper left corner is (top, left) of the picture.
void move(const Picture& picture, int64_t top, int64_t left) {
  thread_local std::vector<std::byte> before;
  before.assign(picture.pixels, picture.pixels + picture.height * picture.row_bytes());
  std::memset(picture.pixels, picture.beside, before.size());
  const int64_t first = std::max<int64_t>(-left, 0), count = picture.width - std::abs(left);
  for (int64_t y = 0; y < picture.height; ++y) {
    if (y + top < 0 || y + top >= picture.height || count <= 0) continue;
    std::memcpy(picture.pixels + y * picture.row_bytes() + first * picture.pixel_bytes,
                before.data() + (y + top) * picture.row_bytes() + (first + left) * picture.pixel_bytes,
                static_cast<size_t>(count * picture.pixel_bytes));
  }
}

void mirror(const Picture& picture, const Mirrored& columns) {
  const int64_t bytes = picture.pixel_bytes;
  for (int64_t y = 0; y < picture.height; ++y) {
    std::byte* row = picture.pixels + y * picture.row_bytes();
    for (int64_t left = columns.first, right = columns.end - 1; left < right; ++left, --right)
      std::swap_ranges(row + left * bytes, row + (left + 1) * bytes, row + right * bytes);
  }
}

// What one draw does to a picture that is seen in its size.
struct Drawn {
  int64_t top = 0, left = 0;  // of the window
  bool mirrors = false;
};

Drawn drawn(const Augmentation& how, int64_t draw) {
  const uint64_t bits = derive_key(how.seed, "image augmentation", static_cast<uint64_t>(draw));
  Drawn out{.mirrors = how.flip && (bits >> 63) != 0};
  if (how.padding > 0) {
    const auto places = static_cast<uint64_t>(2 * how.padding + 1);
    out.top = static_cast<int64_t>((bits & 0xffffff) % places) - how.padding;
    out.left = static_cast<int64_t>((bits >> 24 & 0xffffff) % places) - how.padding;
  }
  return out;
}

}  // namespace

Schema seen_through(const Augmentation& how, Schema stored) {
  if (!how.crops()) return stored;
  for (Column& column : stored.columns) {
    if (!is_picture(column)) continue;
    column.shape[0] = how.resized_crop ? how.resized_crop->size : how.scaled_crop->height;
    column.shape[1] = how.resized_crop ? how.resized_crop->size : how.scaled_crop->width;
  }
  return stored;
}

void crop(const std::byte* picture, const Column& stored, const Augmentation& how, int64_t draw, std::byte* out) {
  if (how.resized_crop)
    crop_resized(picture, stored, *how.resized_crop, how.seed, draw, out);
  else
    crop_scaled(picture, stored, *how.scaled_crop, how.seed, draw, out);
}

void augment(std::byte* pixels, const Column& column, const Augmentation& how, int64_t draw,
             const std::optional<Mirrored>& mirrored) {
  assert(is_picture(column));
  const int64_t height = column.shape[0], width = column.shape[1];
  const Picture picture{pixels, height, width, column.entry_bytes() / (height * width), beside(column)};
  const Drawn does = drawn(how, draw);
  if (how.padding > 0) move(picture, does.top, does.left);
  if (does.mirrors) mirror(picture, mirrored.value_or(Mirrored{0, width}));
}

View cropped(const View& view, const Column& stored, const Augmentation& how, int64_t draw) {
  if (how.resized_crop) {
    const Window window = drawn_window(*how.resized_crop, stored.shape[0], stored.shape[1], how.seed, draw);
    const auto size = static_cast<double>(how.resized_crop->size);
    const double by_x = size / static_cast<double>(window.width), by_y = size / static_cast<double>(window.height);
    return scaled(view, by_x, by_y, static_cast<double>(window.left) * by_x, static_cast<double>(window.top) * by_y);
  }
  const DrawnScale scale = drawn_scale(*how.scaled_crop, how.seed, draw);
  return scaled(view, static_cast<double>(scale.width) / static_cast<double>(stored.shape[1]),
                static_cast<double>(scale.height) / static_cast<double>(stored.shape[0]),
                static_cast<double>(scale.left), static_cast<double>(scale.top));
}

View augmented(View view, const Augmentation& how, int64_t draw, const Mirrored& mirrored) {
  const Drawn does = drawn(how, draw);
  view = scaled(view, 1, 1, static_cast<double>(does.left), static_cast<double>(does.top));
  if (!does.mirrors) return view;
  view.scale_x = -view.scale_x;
  view.left = static_cast<float>(mirrored.first + mirrored.end) - view.left;
  return view;
}

}  // namespace sft
