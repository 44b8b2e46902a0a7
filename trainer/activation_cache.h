// What the frozen stages of a model give for each sample of a dataset: computed once, by all ranks together, and kept
// in the memory of each, so that an update costs no more than what trains. The same bits that the stages would give
// again in batches of the same shape; their sums differ with the shape, as between micro-batches.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "data/dataset.h"
#include "trainer/evaluator.h"
#include "trainer/learner.h"

namespace sft {

class ActivationCache : public FrozenPart {
 public:
  // Every rank calls, with a learner that has a frozen part. `control` joins host memory.
  ActivationCache(Learner& learner, const Dataset& dataset, Communicator& control, const Evaluator::Settings& settings);

  at::Tensor of(const Batch& batch) const override;

  int64_t bytes() const { return static_cast<int64_t>(rows_.nbytes()); }

 private:
  std::vector<int64_t> offsets_;  // [samples + 1]: sample i is rows offsets_[i] … offsets_[i + 1]
  at::Tensor rows_;               // [offsets_.back(), …] in host memory
};

}  // namespace sft
