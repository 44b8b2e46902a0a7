#include "data/images/orientation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace sft {
namespace {

constexpr int kUpright = 1;

// Whole numbers out of the block, of either byte order; 0 outside of it.
class Block {
 public:
  explicit Block(std::string_view bytes) : bytes_(bytes), little_(bytes.starts_with("II")) {}

  size_t number(size_t at, size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return 0;
    size_t value = 0;
    for (size_t i = 0; i < size; ++i)
      value = value << 8 | static_cast<unsigned char>(bytes_[at + (little_ ? size - 1 - i : i)]);
    return value;
  }

 private:
  std::string_view bytes_;
  bool little_;
};

// Of the eight, the second half lie on their side.
bool lies(int orientation) { return orientation >= 5; }

// Without its pixels.
template <class Picture>
Picture as_seen(const Picture& stored, int orientation) {
  Picture out;
  out.height = lies(orientation) ? stored.width : stored.height;
  out.width = lies(orientation) ? stored.height : stored.width;
  return out;
}

// The stored pixels, `channels` bytes each, in the order of the upright picture, which is height × width.
std::vector<uint8_t> turned(const std::vector<uint8_t>& stored, int64_t height, int64_t width, int64_t channels,
                            int orientation) {
  // Which of the stored axes runs backwards follows from the tag.
  const bool rows_back = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const bool columns_back = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const int64_t stored_width = lies(orientation) ? height : width;
  std::vector<uint8_t> out(stored.size());
  uint8_t* to = out.data();
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x, to += channels) {
      int64_t row = rows_back ? height - 1 - y : y, column = columns_back ? width - 1 - x : x;
      if (lies(orientation)) std::swap(row, column);
      std::copy_n(stored.data() + (row * stored_width + column) * channels, channels, to);
    }
  return out;
}

}  // namespace

int orientation_of(std::string_view exif) {
  constexpr size_t kOrientation = 0x0112, kEntryBytes = 12;
  const Block block(exif);
  if (block.number(2, 2) != 42) return kUpright;  // TIFF
  const size_t directory = block.number(4, 4), entries = block.number(directory, 2);
  for (size_t k = 0; k < entries; ++k) {
    const size_t entry = directory + 2 + k * kEntryBytes;
    if (block.number(entry, 2) != kOrientation) continue;
    const auto value = static_cast<int>(block.number(entry + 8, 2));
    return value >= 1 && value <= 8 ? value : kUpright;
  }
  return kUpright;
}

Image upright(Image image, int orientation) {
  if (orientation == kUpright) return image;
  Image out = as_seen(image, orientation);
  out.pixels = turned(image.pixels, out.height, out.width, kChannels, orientation);
  return out;
}

Mask upright(Mask mask, int orientation) {
  if (orientation == kUpright) return mask;
  Mask out = as_seen(mask, orientation);
  out.classes = turned(mask.classes, out.height, out.width, 1, orientation);
  out.place = std::move(mask.place);
  return out;
}

}  // namespace sft
