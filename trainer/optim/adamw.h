// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019), as torch.optim has them.
#pragma once

#include <memory>

#include "trainer/optim/optimizer.h"

namespace sft {

std::unique_ptr<Optimizer> make_adam(const OptimConfig& config, const Arena& arena, std::vector<ParameterGroup> groups,
                                     std::vector<Slice> owned);
std::unique_ptr<Optimizer> make_adamw(const OptimConfig& config, const Arena& arena, std::vector<ParameterGroup> groups,
                                      std::vector<Slice> owned);

}  // namespace sft
