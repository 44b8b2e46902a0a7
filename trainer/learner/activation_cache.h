// What the frozen stages of a model give for each sample of a dataset: computed once, by all ranks together, so that an
// update costs no more than what trains. The same bits that the stages would give again in batches of the same shape;
// their sums differ with the shape, as between micro-batches.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "data/loading/loader.h"
#include "data/samples/dataset.h"
#include "trainer/learner/learner.h"

namespace sft {

// Of every sample, in order, one behind the other.
struct Activations {
  at::Tensor rows;               // [rows, …] in host memory
  std::vector<int64_t> offsets;  // [samples + 1]: sample i is rows offsets[i] … offsets[i + 1]
};

// Every rank calls, with a learner that has a frozen part, and has all of it in the end. `control` joins host memory.
Activations frozen_activations(Learner& learner, const Dataset& dataset, Communicator& control,
                               const EvalLoaderConfig& loading);

class ActivationCache : public FrozenPart {
 public:
  explicit ActivationCache(Activations all) : all_(std::move(all)) {}

  at::Tensor of(const Batch& batch) const override;

  int64_t bytes() const { return static_cast<int64_t>(all_.rows.nbytes()); }

 private:
  Activations all_;
};

}  // namespace sft
