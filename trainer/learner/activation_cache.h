// The activations of the frozen stages for each sample of a dataset, so that an update costs the trained stages alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "data/samples/batch.h"

namespace sft {

// Activations of every sample, in order, one behind the other.
struct Activations {
  at::Tensor rows;               // [rows, …] in host memory
  std::vector<int64_t> offsets;  // [samples + 1]: sample i is rows offsets[i] … offsets[i + 1]
};

class ActivationCache {
 public:
  explicit ActivationCache(Activations all) : all_(std::move(all)) {}

  at::Tensor of(const Batch& batch) const;  // in host memory, as Learner::frozen_activations()

  int64_t bytes() const { return static_cast<int64_t>(all_.rows.nbytes()); }

 private:
  Activations all_;
};

}  // namespace sft
