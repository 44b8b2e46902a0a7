// Windows of questions, drawn from a seed.
#pragma once

#include "support/memory_dataset.h"

namespace sft::equivalence {

// So many windows, up to four of a question; some questions have no answer, others have one that not all windows hold.
MemoryDataset windows_of_questions(int64_t windows, int64_t vocab_size, int64_t longest, uint64_t seed);

}  // namespace sft::equivalence
