#include "trainer/tasks/semantic_segmentation/rows/mask_rows.h"

#include <algorithm>

#include "base/text.h"
#include "data/images/orientation.h"

namespace sft {
namespace {

constexpr char kTurned[] = "masks turned as the Exif of their pictures says";
constexpr char kWithinOneSize[] =
    "masks are of pictures that Exif turns within one size: taken as drawn on the picture as it is seen";

std::string size_text(int64_t height, int64_t width) { return concat(height, " × ", width); }

// A mask is often of the picture as its file keeps it, and a picture stands upright. Where both have one size, nothing
// tells them apart.
PlacedMask beside_upright(Mask mask, const Row& row, const Decoded& picture) {
  const auto& [height, width, pixels] = picture.image;
  if (mask.height == height && mask.width == width) {
    const bool is_told_by_size = picture.orientation == 1 || (picture.orientation > 4 && height != width);
    return {std::move(mask), is_told_by_size ? "" : kWithinOneSize};
  }
  if (picture.orientation > 4 && mask.height == width && mask.width == height)
    return {upright(std::move(mask), picture.orientation), kTurned};
  throw BadRow(concat(mask.place, ": is ", size_text(mask.height, mask.width), ", and its picture ", row.place(), " ",
                      size_text(height, width),
                      "; a mask has a pixel for each of the picture's: make it anew at that size"));
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

PlacedMask mask_of(const Row& row, const Decoded& picture, bool reduces, int64_t num_classes) {
  PlacedMask out = beside_upright(row.picture->mask(), row, picture);
  Mask& mask = out.mask;
  if (reduces)
    for (uint8_t& value : mask.classes) value = value == 0 || value == kNoClass ? kNoClass : value - 1;
  const auto pixels = pixels_by_class(mask);
  if (pixels[kNoClass] == std::ssize(mask.classes))
    throw BadRow(concat(mask.place, ": all its pixels are of no class (", reduces ? "0, or " : "", "255",
                        "), so there is nothing to learn of it; take picture and mask away"));
  if (num_classes == 0) return out;
  if (const std::string unknown = unknown_classes(pixels, num_classes); !unknown.empty())
    throw BadRow(
        concat(mask.place, ": has the value ", unknown, reduces ? ", counted from 0 by data.reduce_labels" : "",
               ", and there are ", num_classes, " classes: 0 … ", num_classes - 1,
               ", and 255 for no class; mend the mask, or name all classes (data.class_names or classes.txt)"));
  return out;
}

}  // namespace sft
