// The activations of the frozen stages for each sample of a dataset: computed once, by all ranks together, so that an
// update costs the trained stages alone. A batch of the same shape would give the same bits again; sums differ with
// the shape, as between micro-batches.
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

// Activations of every sample, in order, one behind the other.
struct Activations {
  at::Tensor rows;               // [rows, …] in host memory
  std::vector<int64_t> offsets;  // [samples + 1]: sample i is rows offsets[i] … offsets[i + 1]
};

// Every rank calls, with a learner that has a frozen part, and gets the activations of all samples. `control` joins
// host memory.
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
