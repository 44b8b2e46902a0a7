// Random weights as transformers draws them, from a seed and a parameter's name alone: the same on every rank, whatever
// else is drawn. Where weight files will fill them nothing is drawn, which takes longer than reading the files.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "trainer/models/initial_seed.h"

namespace sft {

// A leaf of normal values that requires no gradient, none of them farther from zero than `cutoff` deviations; of
// undefined ones where there is no seed.
at::Tensor normal_parameter(const std::string& name, at::IntArrayRef shape, double deviation, InitialSeed seed,
                            const at::TensorOptions& options, std::optional<double> cutoff = {});

// A leaf of values uniform in [−bound, bound] that requires no gradient.
at::Tensor uniform_parameter(const std::string& name, at::IntArrayRef shape, double bound, uint64_t seed,
                             const at::TensorOptions& options);

// A leaf of one value.
at::Tensor constant_parameter(at::IntArrayRef shape, double value, const at::TensorOptions& options);

}  // namespace sft
