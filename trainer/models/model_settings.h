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

  // The narrowest type that weight files hold, where nothing of the model trains or adapters alone do; else `dtype`.
  std::optional<at::ScalarType> held_type = {};

  at::TensorOptions options() const { return at::TensorOptions(device).dtype(dtype); }
  // As which most weights take their memory.
  at::TensorOptions held_options() const { return options().dtype(held_type.value_or(dtype)); }
};

}  // namespace sft
