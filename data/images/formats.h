// Which files hold pictures, and the decoders of each kind. False where the bytes are no good picture; `why` tells.
#pragma once

#include <cstdint>
#include <string>

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
