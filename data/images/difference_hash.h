// Pictures that look alike have hashes of few different bits.
#pragma once

#include <cstdint>

#include "data/images/image.h"

namespace sft {

// The picture at 9 × 8 pixels in grey; a bit for each pixel and its right neighbour, which is 1 where the left one is
// brighter, row by row from the highest bit on (Krawetz's difference hash).
uint64_t difference_hash(const Image& image);

int different_bits(uint64_t a, uint64_t b);

}  // namespace sft
