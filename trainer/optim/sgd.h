// Gradient descent with momentum and Nesterov's momentum, as torch.optim.SGD has it.
#pragma once

#include <memory>

#include "trainer/optim/optimizer.h"

namespace sft {

std::unique_ptr<Optimizer> make_sgd(const OptimConfig& config, const Arena& arena, std::vector<ParameterGroup> groups,
                                    std::vector<Slice> owned);

}  // namespace sft
