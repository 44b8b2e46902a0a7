// Rows of a language model, drawn from a seed.
#pragma once

#include "support/memory_dataset.h"

namespace sft::equivalence {

// Up to two trained spans a row; about a fifth of the rows have none, so that a rank may have no trained token.
MemoryDataset rows_to_complete(int64_t size, int64_t vocab_size, int64_t longest, uint64_t seed);

}  // namespace sft::equivalence
