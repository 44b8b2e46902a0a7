// Pictures with boxes, drawn from a seed.
#pragma once

#include "support/memory_dataset.h"

namespace sft::equivalence {

// So many squares of `side` pixels, each a view of a larger original. Pictures have none to six boxes, small, middling
// and large by COCO's areas; some are crowds, others difficult.
MemoryDataset pictures_with_boxes(int64_t size, int64_t side, int64_t num_labels, uint64_t seed);

}  // namespace sft::equivalence
