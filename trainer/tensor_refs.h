// Tensors as the checkpoint folder sees them.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "trainer/checkpoint/tensor_ref.h"
#include "trainer/models/parameter.h"

namespace sft {

// Borrowed memory of contiguous host tensors; they must outlive the references.
std::vector<TensorRef> refs_of(const Parameters& parameters);
std::vector<TensorRef> refs_of(const std::vector<std::pair<std::string, at::Tensor>>& tensors);

// safetensors' spelling of a dtype; ConfigError for one that the format lacks.
std::string dtype_name(at::ScalarType dtype);
at::ScalarType dtype_from(const std::string& name);

}  // namespace sft
