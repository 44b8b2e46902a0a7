// What a rank's share of a global batch weighs in the loss, and holds.
#pragma once

#include "comm/communicator.h"
#include "data/loading/loader.h"
#include "trainer/tasks/task.h"

namespace sft {

// Of a global batch.
struct Totals {
  Weights weights;  // of each term of the loss
  int64_t tokens = 0;
};

// One sum over all ranks. Every rank calls.
Totals totals_of(const Task& task, const Share& share, Communicator& control);

// Divides the weights of all rows and each total by a power of two, whose exponent is returned, so that rows weigh
// about 1 and no loss leaves single precision; 0 where they are near enough. A total that is 0 becomes 1, to divide by.
int scale_to_one(Share& share, Weights& total);

// Null where this rank has no samples.
const Batch* last_batch(const Share& share);

// Of this rank: micro-batches, rows, and which rows.
int64_t num_batches(const Share& share);
int64_t num_samples(const Share& share);
std::vector<int64_t> ids_of(const Share& share);

}  // namespace sft
