// Which files hold pictures, and the decoders of each kind. False where the bytes are no good picture; `why` tells.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/images/image.h"

namespace sft {

inline constexpr char kImageEndings[] = ".jpg, .jpeg, .png, .bmp or .webp";  // for people
inline constexpr int64_t kMostPixels = 200'000'000;                          // of one picture

namespace jpeg {
bool starts(const std::string& bytes);
bool decode(const std::string& bytes, Decoded& out, std::string& why);
}  // namespace jpeg

namespace png {
bool starts(const std::string& bytes);
bool decode(const std::string& bytes, Decoded& out, std::string& why);

// Whether pixels are colours, and not grey or places in a palette.
bool is_of_colours(const std::string& bytes);
// The places in the palette, or the grey values, as they are stored in 1 to 8 bits, [height, width].
bool decode_numbers(const std::string& bytes, int64_t& height, int64_t& width, std::vector<uint8_t>& numbers,
                    std::string& why);
// Of RGB pixels, or where there is a palette, of places in it, a byte each.
std::string encode(const uint8_t* pixels, int64_t height, int64_t width,
                   const std::vector<std::array<uint8_t, 3>>& palette);
}  // namespace png

// Windows bitmaps: palettes of 1, 4 and 8 bits, 16 bits, 24 and 32, without compression, either way up.
namespace bmp {
bool starts(const std::string& bytes);
bool decode(const std::string& bytes, Decoded& out, std::string& why);
}  // namespace bmp

// Still images, lossy and lossless, without their transparency.
namespace webp {
bool starts(const std::string& bytes);
bool decode(const std::string& bytes, Decoded& out, std::string& why);
}  // namespace webp

}  // namespace sft
