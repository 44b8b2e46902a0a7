// Boxes as rows give them: checked against their picture and its classes, in pixels.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/images/image.h"
#include "data/prepare/labels.h"
#include "data/readers/row.h"

namespace sft {

// The columns of one picture: [M, 4], [M], [M].
struct CheckedBoxes {
  std::vector<float> boxes;  // left, top, right, bottom
  std::vector<int32_t> labels;
  std::vector<uint8_t> flags;  // BoxFlag

  size_t size() const { return labels.size(); }
};

// What is done with a box that reaches beyond its picture by more than a pixel or has no area.
enum class OnBadBox { refuse, clip, drop };

// Called with a note and the place of the box that it is of.
using TellBox = std::function<void(const std::string& note, const std::string& place)>;

// The boxes of a row whose picture was decoded. A pixel beyond the border is what other tools' rounding leaves: it is
// cut off silently. BadRow naming the box where its class is unknown, where a corner is no number, where the boxes are
// of a picture of another size, and, where bad boxes are refused, at the first of them.
CheckedBoxes checked_boxes(const Row& row, const Decoded& picture, const LabelIds& classes, OnBadBox on_bad_box,
                           const TellBox& tell);

}  // namespace sft
