// Which columns of samples augmentation changes, and what stands beside a picture that is moved.
#pragma once

#include "data/images/mask.h"
#include "data/samples/schema.h"

namespace sft {

inline constexpr char kOriginalSizeColumn[] = "original_size";  // of a picture: its height and width before resizing

// Whether a column holds a picture: one [H, W] or [H, W, …] a sample.
inline bool is_picture(const Column& column) { return column.axis.empty() && column.shape.size() >= 2; }

// Whether it is a class for each pixel, [H, W], and not colours.
inline bool is_mask(const Column& column) { return is_picture(column) && column.shape.size() == 2; }

// Black, and no class.
inline int beside(const Column& column) { return is_mask(column) ? kNoClass : 0; }

}  // namespace sft
