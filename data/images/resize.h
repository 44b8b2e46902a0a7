// Sizes: bilinear or bicubic with antialiasing, to the bit as PIL's Image.resize(…, BILINEAR or BICUBIC) on 8-bit RGB,
// which is what torchvision.transforms.Resize does on PIL images.
#pragma once

#include "data/images/image.h"

namespace sft {

enum class Interpolation { bilinear, bicubic };

Image resized(const Image& image, int64_t height, int64_t width, Interpolation how = Interpolation::bilinear);

// torchvision's Resize(size) and CenterCrop(size): the shorter side becomes `size`, the middle of the longer one stays.
Image covering(const Image& image, int64_t size, Interpolation how = Interpolation::bilinear);

struct Window {
  int64_t top = 0, left = 0, height = 0, width = 0;  // pixels
};

// What a window shows of an RGB picture whose rows are `width` pixels long; it lies within the picture.
Image cut(const uint8_t* pixels, int64_t width, const Window& window);

}  // namespace sft
