// Pictures as packed rows: T of each, which is what blocks and attention of texts run on.
#pragma once

#include <cstdint>

#include "trainer/models/inputs.h"

namespace sft {

// The rows of each picture that somebody reads.
struct RowRange {
  int64_t first = 0, count = 1;  // the class token's alone
};

// B pictures of T rows; positions are 0 … T − 1, tokens and segments undefined. ReadRows names those of `read`.
TextInputs patch_rows(const ImageInputs& images, int64_t rows_a_picture, const RowRange& read = {});

// How a device cuts attention of pictures with equally many keys each, and equally many queries: one group has all in
// their order. On a CPU there is none. draws_B: int64 on the device.
SequenceGroups equal_groups(int64_t pictures, int64_t keys, int64_t queries, const at::Tensor& draws_B);

}  // namespace sft
