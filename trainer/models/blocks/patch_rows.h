// Pictures as packed rows: T of each, which is what blocks and attention of texts run on.
#pragma once

#include <cstdint>

#include "trainer/models/inputs.h"

namespace sft {

// B pictures of T rows; positions are 0 … T − 1, tokens and segments undefined. The row at position 0, the class
// token's, is that which ReadRows names.
TextInputs patch_rows(const ImageInputs& images, int64_t rows_a_picture);

}  // namespace sft
