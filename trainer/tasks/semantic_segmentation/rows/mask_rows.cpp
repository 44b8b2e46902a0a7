#include "trainer/tasks/semantic_segmentation/rows/mask_rows.h"

#include <algorithm>

#include "base/text.h"

namespace sft {
namespace {

std::string size_text(int64_t height, int64_t width) { return concat(height, " × ", width); }

// A mask is often of the picture as its file keeps it, and a picture stands upright.
void require_size(const Mask& mask, const Row& row, const Decoded& picture) {
  if (mask.height == picture.image.height && mask.width == picture.image.width) return;
  const bool is_turned = picture.orientation > 4 && mask.height == picture.image.width;
  throw BadRow(concat(mask.place, ": is ", size_text(mask.height, mask.width), ", and its picture ", row.place(), " ",
                      size_text(picture.image.height, picture.image.width),
                      is_turned ? concat(": the picture is turned, as its Exif orientation ", picture.orientation,
                                         " says; turn the mask likewise, or save the picture without it")
                                : "; a mask has a pixel for each of the picture's: make it anew at that size"));
}

// "7 (in 120 pixels), 9 (in 3 pixels)".
std::string unknown_classes(const std::array<int64_t, 256>& pixels, int64_t num_classes) {
  std::vector<std::string> found;
  for (int64_t value = num_classes; value < kNoClass && found.size() < 4; ++value)
    if (const int64_t count = pixels[static_cast<size_t>(value)]; count > 0)
      found.push_back(concat(value, " (in ", count, count == 1 ? " pixel)" : " pixels)"));
  return join(found, ", ");
}

}  // namespace

Column mask_column() { return {.name = "mask", .number = Number::uint8, .shape = {0, 0}, .role = Role::target}; }

std::array<int64_t, 256> pixels_by_class(const Mask& mask) {
  std::array<int64_t, 256> pixels{};
  for (const uint8_t value : mask.classes) ++pixels[value];
  return pixels;
}

Mask mask_of(const Row& row, const Decoded& picture, bool reduces, int64_t num_classes) {
  Mask mask = row.picture->mask();
  require_size(mask, row, picture);
  if (reduces)
    for (uint8_t& value : mask.classes) value = value == 0 || value == kNoClass ? kNoClass : value - 1;
  const auto pixels = pixels_by_class(mask);
  if (pixels[kNoClass] == std::ssize(mask.classes))
    throw BadRow(concat(mask.place, ": all its pixels are of no class (", reduces ? "0, or " : "", "255",
                        "), so there is nothing to learn of it; take picture and mask away"));
  if (num_classes == 0) return mask;
  if (const std::string unknown = unknown_classes(pixels, num_classes); !unknown.empty())
    throw BadRow(
        concat(mask.place, ": has the value ", unknown, reduces ? ", counted from 0 by data.reduce_labels" : "",
               ", and there are ", num_classes, " classes: 0 … ", num_classes - 1,
               ", and 255 for no class; mend the mask, or name all classes (data.class_names or classes.txt)"));
  return mask;
}

}  // namespace sft
