// Masks as rows give them: checked, and with their classes counted from 0.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/schema.h"
#include "data/images/mask.h"
#include "data/readers/row.h"
#include "data/samples/schema.h"

namespace sft {

// The class of each pixel, [H, W], or kNoClass.
Column mask_column();

// How many pixels of a mask have each class.
std::array<int64_t, 256> pixels_by_class(const Mask& mask);

struct PlacedMask {
  Mask mask;         // of the picture as it stands upright
  std::string note;  // how it was brought there, told of many such masks; "": it came so
};

// The mask of a picture, whose file may keep it lying on its side: a mask of the stored size is turned with it, and one
// of the upright size stays. `reduces`: 0 stands for no class, and i for i − 1. `num_classes` 0: any number.
// BadRow naming the mask's file where there is none, where it is of neither size, where all its pixels are of no class
// and where one is of a class that there is not.
PlacedMask mask_of(const Row& row, const Decoded& picture, bool reduces, int64_t num_classes);

}  // namespace sft
