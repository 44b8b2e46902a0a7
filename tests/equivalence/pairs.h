#pragma once

#include "support/memory_dataset.h"

namespace sft::equivalence {

// Ragged sources and targets of the task "seq2seq_lm", each of one to `longest` tokens, with weights of their own.
MemoryDataset rows_to_translate(int64_t size, int64_t vocab_size, int64_t longest, uint64_t seed);

}  // namespace sft::equivalence
