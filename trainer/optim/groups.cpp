#include "trainer/optim/groups.h"

#include <algorithm>
#include <cmath>

namespace sft {
namespace {

double lr_multiplier(const OptimConfig& config, int stage, int num_blocks) {
  const int blocks_below_top = std::max(0, num_blocks + 1 - stage);
  const bool in_head = stage > num_blocks + 1;
  return std::pow(config.layer_decay, blocks_below_top) * (in_head ? config.head_lr_multiplier : 1.0);
}

}  // namespace

Grouping group_parameters(const OptimConfig& config, const Parameters& parameters, int num_blocks) {
  Grouping result;
  for (const Parameter& parameter : parameters) {
    const ParameterGroup wanted{parameter.decays ? config.weight_decay : 0.0,
                                lr_multiplier(config, parameter.stage, num_blocks)};
    const auto found = std::find(result.groups.begin(), result.groups.end(), wanted);
    result.group_of.push_back(static_cast<int>(found - result.groups.begin()));
    if (found == result.groups.end()) result.groups.push_back(wanted);
  }
  return result;
}

}  // namespace sft
