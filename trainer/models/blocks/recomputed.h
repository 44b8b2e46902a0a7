// Gradient checkpointing: of a stage its input is kept alone, and what lies inside is computed again when its gradients
// are asked for. Dropout's masks are functions of their place, so the second pass is the first to the bit.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace sft {

using StageFunction = std::function<at::Tensor(const at::Tensor& x)>;

// stage(x). It must give the same when called again in the backward pass, so what it reads must live and stay as it is
// until then. Gradients of the leaves inside are accumulated in that second pass. x requires a gradient.
at::Tensor recomputed(StageFunction stage, const at::Tensor& x);

}  // namespace sft
