// BMP, as PIL's open(…).convert("RGB") reads it: fields of 5 and 6 bits are stretched to 8 by v · 255 / 31 and
// v · 255 / 63, rounded down.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "base/text.h"
#include "data/images/formats.h"

namespace sft::bmp {
namespace {

constexpr size_t kFileHeader = 14, kCoreHeader = 12, kInfoHeader = 40;
constexpr uint32_t kPlain = 0, kBitFields = 3, kAlphaBitFields = 6;

struct Field {  // of a pixel: where its bits are
  uint32_t mask = 0;
  uint8_t of(uint32_t pixel) const {
    if (mask == 0) return 0;
    const int shift = std::countr_zero(mask);
    return static_cast<uint8_t>(uint64_t{(pixel & mask) >> shift} * 255 / (mask >> shift));
  }
};

// Reads with its own borders: 0 behind the end, which is looked for before.
class Bytes {
 public:
  explicit Bytes(const std::string& bytes) : bytes_(bytes) {}
  uint32_t number(size_t at, size_t size) const {
    uint32_t value = 0;
    for (size_t i = size; i-- > 0;) value = value << 8 | byte(at + i);
    return value;
  }
  uint8_t byte(size_t at) const { return at < bytes_.size() ? static_cast<uint8_t>(bytes_[at]) : 0; }
  size_t size() const { return bytes_.size(); }

 private:
  const std::string& bytes_;
};

struct Header {
  int64_t width = 0, height = 0;
  bool is_top_down = false;
  uint32_t bits = 0;  // of a pixel
  size_t pixels = 0;  // where they begin
  size_t palette = 0, palette_entry = 4, colours = 0;
  std::array<Field, 4> fields{};  // red, green, blue, alpha, of 16 and 32 bits
  size_t row_bytes() const { return (static_cast<size_t>(width) * bits + 31) / 32 * 4; }
};

// Nothing where the picture is of a kind that is not read; `why` tells.
std::optional<Header> header_of(const Bytes& file, std::string& why) {
  Header header;
  const size_t size = file.number(kFileHeader, 4);
  header.pixels = file.number(10, 4);
  uint32_t compression = kPlain;
  if (size == kCoreHeader) {
    header.width = file.number(18, 2);
    header.height = file.number(20, 2);
    header.bits = file.number(24, 2);
    header.palette_entry = 3;
  } else {
    header.width = static_cast<int32_t>(file.number(18, 4));
    const int64_t height = static_cast<int32_t>(file.number(22, 4));
    header.is_top_down = height < 0;
    header.height = std::abs(height);
    header.bits = file.number(28, 2);
    compression = file.number(30, 4);
    header.colours = file.number(46, 4);
  }
  const bool has_fields = compression == kBitFields || compression == kAlphaBitFields;
  if (compression != kPlain && !has_fields) {
    why = concat("is a BMP with compression ", compression, ", which is not read; save it as PNG");
    return {};
  }
  const auto good_bits = {1u, 4u, 8u, 16u, 24u, 32u};
  if ((size != kCoreHeader && size < kInfoHeader) ||
      std::find(good_bits.begin(), good_bits.end(), header.bits) == good_bits.end()) {
    why = concat("is a damaged BMP: a header of ", size, " bytes and pixels of ", header.bits, " bits");
    return {};
  }
  if (header.width < 1 || header.height < 1 || header.width > kMostPixels / header.height) {
    why = concat("is a damaged BMP: ", header.height, " × ", header.width, " pixels");
    return {};
  }
  const bool fields_behind = has_fields && size == kInfoHeader;
  header.palette = kFileHeader + size + (fields_behind ? 12 : 0);
  const size_t most = size_t{1} << std::min(header.bits, 8u);
  if (header.colours == 0 || header.colours > most) header.colours = most;
  header.fields = header.bits == 16 ? std::array<Field, 4>{{{0x7C00}, {0x3E0}, {0x1F}, {0}}}
                                    : std::array<Field, 4>{{{0xFF0000}, {0xFF00}, {0xFF}, {0}}};
  if (has_fields)
    for (size_t c = 0; c < 4; ++c)
      header.fields[c].mask = c < 3 || size > kInfoHeader + 12 ? file.number(kFileHeader + kInfoHeader + 4 * c, 4) : 0;
  if (header.pixels > file.size() ||
      file.size() - header.pixels < header.row_bytes() * static_cast<size_t>(header.height)) {
    why = "is a damaged BMP: it ends too early";
    return {};
  }
  return header;
}

}  // namespace

bool starts(const std::string& bytes) { return bytes.starts_with("BM"); }

bool decode(const std::string& bytes, Decoded& out, std::string& why) {
  const Bytes file(bytes);
  const std::optional<Header> found = header_of(file, why);
  if (!found) return false;
  const Header& header = *found;
  const bool has_palette = header.bits <= 8;
  out.was = has_palette ? "palette" : header.fields[3].mask != 0 ? "transparent" : "";
  out.image = {header.height, header.width, {}};
  out.image.pixels.reserve(static_cast<size_t>(header.height * header.width * kChannels));
  for (int64_t y = 0; y < header.height; ++y) {
    const auto row = static_cast<size_t>(header.is_top_down ? y : header.height - 1 - y);
    const size_t begin = header.pixels + row * header.row_bytes();
    for (size_t x = 0; x < static_cast<size_t>(header.width); ++x) {
      if (has_palette) {
        const size_t bit = x * header.bits;
        const uint32_t index = file.byte(begin + bit / 8) >> (8 - header.bits - bit % 8) & ((1u << header.bits) - 1);
        const size_t entry = header.palette + index * header.palette_entry;
        for (const size_t c : {size_t{2}, size_t{1}, size_t{0}})  // blue comes first
          out.image.pixels.push_back(index < header.colours ? file.byte(entry + c) : 0);
      } else {
        const uint32_t pixel = file.number(begin + x * header.bits / 8, header.bits / 8);
        for (size_t c = 0; c < kChannels; ++c) out.image.pixels.push_back(header.fields[c].of(pixel));
      }
    }
  }
  return true;
}

}  // namespace sft::bmp
