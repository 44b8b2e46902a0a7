// What a decoder is fed with and what it is to answer: the one place where the two are shifted against each other.
#pragma once

#include <cstdint>
#include <vector>

#include "data/samples/batch.h"

namespace sft::seq2seq {

// The decoder's row n of a target is fed with the token before it, the first with the token that starts all targets,
// and is to answer with token n. Of a packed batch of N target tokens, sample after sample.
struct FedTargets {
  std::vector<int32_t> fed;      // [N]
  std::vector<int64_t> targets;  // [N]
  std::vector<float> weights;    // [N] of the rows' samples
};

// The batch has the columns of columns.h.
FedTargets fed_targets(const Batch& batch, int32_t start_id);

// The sum of their weights: what the sum of the losses is divided by.
double target_weight(const Batch& batch);

}  // namespace sft::seq2seq
