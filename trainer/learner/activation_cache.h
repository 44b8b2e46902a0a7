// What the frozen stages of a model give for each sample of a dataset: computed once, by all ranks together, so that an
// update costs no more than what trains. The same bits that the stages would give again in batches of the same shape;
// their sums differ with the shape, as between micro-batches.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "data/loading/loader.h"
#include "data/samples/dataset.h"
#include "trainer/learner/learner.h"

namespace sft {

// Of every sample, in order, one behind the other: [rows, …] in host memory, one row a sample where only its first
// token is read, else one a token. Every rank calls, with a learner that has a frozen part, and has all of it in the
// end. `control` joins host memory.
at::Tensor frozen_activations(Learner& learner, const Dataset& dataset, Communicator& control,
                              const EvalLoaderConfig& loading);

class ActivationCache : public FrozenPart {
 public:
  // rows: frozen_activations() of the dataset.
  ActivationCache(const Dataset& dataset, at::Tensor rows);

  at::Tensor of(const Batch& batch) const override;

  int64_t bytes() const { return static_cast<int64_t>(rows_.nbytes()); }

 private:
  std::vector<int64_t> offsets_;  // [samples + 1]: sample i is rows offsets_[i] … offsets_[i + 1]
  at::Tensor rows_;               // [offsets_.back(), …] in host memory
};

}  // namespace sft
