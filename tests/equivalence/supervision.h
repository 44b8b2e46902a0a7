// Rows whose labels are probabilities, with the logits of a teacher, drawn from a seed.
#pragma once

#include "support/memory_dataset.h"

namespace sft::equivalence {

// The rows of MemoryDataset's labels, with a distribution and a teacher's logits beside each label.
MemoryDataset rows_with_a_teacher(int64_t size, int64_t vocab_size, int64_t num_labels, int64_t longest, uint64_t seed);

}  // namespace sft::equivalence
