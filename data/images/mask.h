// A class for each pixel of a picture, as a PNG with a palette or of grey holds it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/images/image.h"

namespace sft {

inline constexpr uint8_t kNoClass = 255;  // of a pixel that has none: nobody learns it, and it is not scored

struct Mask {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> classes;  // [height, width]
  std::string place = {};        // for messages: where it stands
};

// The places in the palette, or the grey values, of 1 to 8 bits, as numpy.array(PIL.Image.open(…)) has them. DataError
// beginning with `place` where the file is another sort of picture, with what to do: of colours it names those found.
Mask decode_mask(const std::string& bytes, const std::string& place);

// A PNG of 8 bits whose palette is that of PASCAL VOC.
std::string encode_mask(const Mask& mask);
// A PNG of RGB.
std::string encode_image(const Image& image);

// The colour of a class in VOC's palette: bits of the class, spread over red, green and blue.
std::array<uint8_t, 3> class_colour(uint8_t number);

}  // namespace sft
