// The columns of a picture with boxes that augmentation knows.
#pragma once

#include "data/images/letterbox.h"
#include "data/loading/picture_column.h"
#include "data/samples/batch.h"

namespace sft {

inline constexpr char kBoxAxis[] = "box";
inline constexpr char kBoxes[] = "boxes";  // float32 [4] along it: left, top, right, bottom, pixels of the original
inline constexpr char kView[] = "view";    // float32 [4]: where the original lies in the picture that is seen

// Of sample b, whose batch has the column.
View view_in(const Batch& batch, size_t b);

}  // namespace sft
