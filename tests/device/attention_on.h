// One case of attention computed anywhere.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "trainer/models/attention_cases.h"

namespace sft::testing {

// The result and the gradients of q, k, v, in host memory and float64; computed on `where` in `type`.
std::vector<at::Tensor> attend_on(const c10::Device& where, at::ScalarType type, const AttentionCase& with);

}  // namespace sft::testing
