// Notes beside pictures, with which predictions are told.
#pragma once

#include <string>

#include "data/loading/picture_column.h"
#include "data/samples/batch.h"

namespace sft {

inline constexpr char kPlaceColumn[] = "place";  // which picture a row is of

Column place_column();
Column original_size_column();

// Of sample b; "" where there is no such note.
std::string place_in(const Batch& batch, size_t b);

}  // namespace sft
