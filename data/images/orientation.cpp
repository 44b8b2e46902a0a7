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
  // Of the eight, the second half lie on their side; which of the stored axes then runs backwards follows from the tag.
  const bool lies = orientation >= 5;
  const bool rows_back = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  const bool columns_back = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  Image out;
  out.height = lies ? image.width : image.height;
  out.width = lies ? image.height : image.width;
  out.pixels.resize(image.pixels.size());
  uint8_t* to = out.pixels.data();
  for (int64_t y = 0; y < out.height; ++y)
    for (int64_t x = 0; x < out.width; ++x, to += kChannels) {
      int64_t row = rows_back ? out.height - 1 - y : y, column = columns_back ? out.width - 1 - x : x;
      if (lies) std::swap(row, column);
      std::copy_n(image.pixels.data() + (row * image.width + column) * kChannels, kChannels, to);
    }
  return out;
}

}  // namespace sft
