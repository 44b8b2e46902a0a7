// What a model is made from beside its config.json.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/models/blocks/batch_norm.h"
#include "trainer/models/initial_seed.h"

namespace sft {

struct ModelSettings {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;                // of parameters
  std::optional<at::ScalarType> compute_type = {};  // of products, where it is narrower than `dtype`
  InitialSeed seed = {};                            // of random weights; nothing where weight files will fill them
  uint64_t dropout_seed = 0;
  BatchNormRule batch_norm = {};             // how BatchNorms find their statistics
  std::vector<std::string> file_names = {};  // of the tensors in the weight files: their layout of names is taken

  at::TensorOptions options() const { return at::TensorOptions(device).dtype(dtype); }
};

}  // namespace sft
