// The columns of pictures with boxes. All but "view" and "original_size" stand along "box", of which a picture may have
// none.
#pragma once

#include <cstdint>

#include "data/loading/box_columns.h"
#include "data/samples/schema.h"

namespace sft {

inline constexpr char kBoxLabels[] = "box_labels", kBoxFlags[] = "box_flags";

// Bits of "box_flags".
enum BoxFlag : uint8_t {
  kCrowd = 1,      // many objects in one box: not learned, and what lies in it is not scored
  kDifficult = 2,  // learned; found or missed, it is not scored
  kSmall = 4,      // areas, by COCO's: up to 32² pixels of the original picture,
  kMedium = 8,     // from there to 96²,
  kLarge = 16,     // and above; a border belongs to both sides
};
uint8_t size_flags(double area);

Column boxes_column();
Column box_labels_column(int64_t num_labels);  // 0: however many
Column box_flags_column();
Column view_column();

}  // namespace sft
