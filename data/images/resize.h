// Sizes: bilinear with antialiasing, to the bit as PIL's Image.resize(…, BILINEAR) on 8-bit RGB, which is what
// torchvision.transforms.Resize does on PIL images.
#pragma once

#include "data/images/image.h"

namespace sft {

Image resized(const Image& image, int64_t height, int64_t width);

// torchvision's Resize(size) and CenterCrop(size): the shorter side becomes `size`, the middle of the longer one stays.
Image covering(const Image& image, int64_t size);

}  // namespace sft
