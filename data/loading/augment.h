// What changes a training image from draw to draw. A pure function of (seed, draw): the same on any number of ranks and
// after a resume.
#pragma once

#include <cstdint>

#include "data/images/image.h"

namespace sft {

struct Augmentation {
  int64_t padding = 0;  // pixels of black on each side, out of which a window of the image's size is taken at random:
                        // torchvision's RandomCrop(size, padding); 0: none
  bool flip = false;    // left and right change places in every second draw
  uint64_t seed = 0;

  bool changes() const { return padding > 0 || flip; }
};

// `pixels` is [height, width, channels] of the image of this draw.
void augment(std::vector<uint8_t>& pixels, int64_t height, int64_t width, const Augmentation& how, int64_t draw);

}  // namespace sft
