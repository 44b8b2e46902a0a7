// Sizes: bilinear or bicubic with antialiasing, to the bit as PIL's Image.resize(…, BILINEAR or BICUBIC) on 8-bit RGB,
// which is what torchvision.transforms.Resize does on PIL images.
#pragma once

#include "data/images/image.h"
#include "data/images/mask.h"

namespace sft {

enum class Interpolation { bilinear, bicubic };

Image resized(const Image& image, int64_t height, int64_t width, Interpolation how = Interpolation::bilinear);

struct Window {
  int64_t top = 0, left = 0, height = 0, width = 0;  // pixels
};

// torchvision's Resize(size) and CenterCrop(size): the shorter side becomes `size`, the middle of the longer one stays.
Image covering(const Image& image, int64_t size, Interpolation how = Interpolation::bilinear);

// What covering() does to a picture of some size: it is resized, and the middle stays.
struct Covered {
  int64_t height = 0, width = 0;
  Window middle;
};
Covered covered_by(int64_t height, int64_t width, int64_t size);

// What a window shows of an RGB picture whose rows are `width` pixels long; it lies within the picture.
Image cut(const uint8_t* pixels, int64_t width, const Window& window);

// A window of a mask whose rows are `width` long, brought to another size to the bit as PIL's Image.resize(…, NEAREST):
// classes are chosen, never averaged.
Mask nearest(const uint8_t* classes, int64_t width, const Window& window, int64_t to_height, int64_t to_width);

// As Image.resize(…, NEAREST), and as covering() does it to the picture.
Mask resized(const Mask& mask, int64_t height, int64_t width);
Mask covering(const Mask& mask, int64_t size);

}  // namespace sft
