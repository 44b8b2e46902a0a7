// How a camera was held, and the picture as it was seen.
#pragma once

#include <string_view>

#include "data/images/image.h"
#include "data/images/mask.h"

namespace sft {

// 1 … 8, the tag Orientation (0x0112) of an Exif block in TIFF 6.0's form; 1, upright, where there is none or where it
// is damaged, as a viewer takes it. `exif`: behind the marker's "Exif\0\0".
int orientation_of(std::string_view exif);

// The picture turned and mirrored so that it stands as the tag says it was seen: PIL's ImageOps.exif_transpose, which
// transformers' load_image calls.
Image upright(Image image, int orientation);
// A mask of the pixels as they are stored, likewise.
Mask upright(Mask mask, int orientation);

}  // namespace sft
