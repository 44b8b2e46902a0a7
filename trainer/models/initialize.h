// Random weights as transformers draws them, from a seed and a parameter's name alone: the same on every rank, whatever
// else is drawn.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace sft {

// A leaf of normal values that requires no gradient.
at::Tensor normal_parameter(const std::string& name, at::IntArrayRef shape, double deviation, uint64_t seed,
                            const at::TensorOptions& options);

// A leaf of one value.
at::Tensor constant_parameter(at::IntArrayRef shape, double value, const at::TensorOptions& options);

}  // namespace sft
