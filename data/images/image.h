// A picture in memory, and the files it comes out of. Own code and two C libraries: this floor knows no tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sft {

inline constexpr int64_t kChannels = 3;

struct Image {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> pixels;  // [height, width, RGB]
};

struct Decoded {
  Image image;
  std::string was;      // "" where the file holds RGB; otherwise "grey", "palette", "transparent", "CMYK"
  int orientation = 1;  // as the file keeps the pixels (data/images/orientation.h); `image` stands upright
};

// .jpg .jpeg .png .bmp .webp, in any case.
bool is_image_file(const std::string& path);

// The image as PIL's open(…).convert("RGB") gives it: grey is repeated, alpha is dropped, and a JPEG or
// WebP is turned as its Exif says, by ImageOps.exif_transpose. What kind of file it is, its
// first bytes say. DataError beginning with `place` where it is damaged, cut short, 16 bits deep or none of JPEG, PNG,
// BMP and WebP.
Decoded decode_image(const std::string& bytes, const std::string& place);

}  // namespace sft
