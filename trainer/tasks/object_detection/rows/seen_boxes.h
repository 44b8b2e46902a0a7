// Boxes as a model is taught them and gives them: shares of the square that it sees.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "data/samples/batch.h"

namespace sft {

struct SeenBox {
  int64_t label = 0;
  std::array<double, 4> box = {};  // centre x, centre y, width, height
};

// Of sample b, all but crowds, in their order, cut off at the square's border.
std::vector<SeenBox> learned_boxes(const Batch& batch, size_t b);

// Left, top, right and bottom in pixels of the original picture, beyond whose border they may lie, of a box as above.
std::array<double, 4> in_original(const Batch& batch, size_t b, const std::array<double, 4>& seen);

}  // namespace sft
