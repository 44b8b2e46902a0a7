// What each row of a batch is to predict: the one place where tokens and targets are shifted against each other.
#pragma once

#include <cstdint>
#include <vector>

#include "data/samples/batch.h"

namespace sft::causal {

// Row n's target is token n + 1 of the same sequence. Of a packed batch of N tokens these are the M rows that have one
// that is trained: the next token stands in a span. A sequence's last row has none, and its first token is no target.
struct ShiftedTargets {
  std::vector<int64_t> rows;     // [M] places among the N rows, rising
  std::vector<int64_t> targets;  // [M] ids of tokens
  std::vector<float> weights;    // [M] of the rows' samples
};

// The batch has the columns of columns.h.
ShiftedTargets shifted_targets(const Batch& batch);

// The sum of their weights: what the sum of the losses is divided by.
double target_weight(const Batch& batch);

}  // namespace sft::causal
