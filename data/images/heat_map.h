// Scores of the cells of a picture, laid over it as colours.
#pragma once

#include <cstdint>
#include <vector>

#include "data/images/image.h"

namespace sft {

// The picture in grey, red where a cell's score is above 0 and blue where it is below, the stronger the nearer it is to
// the largest of all. Cells are squares of `side` pixels, row by row from the upper left corner, cut off at the edges.
// Small pictures are enlarged by a whole number, so that people can see them.
Image heat_map(const Image& image, const std::vector<double>& scores, int64_t side);

}  // namespace sft
