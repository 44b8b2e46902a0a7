// Which parameters share a decay and a rate: no decay on biases and norm weights, another rate for the
// new head, and a rate that shrinks from block to block towards the embedding.
#pragma once

#include <vector>

#include "trainer/models/parameter.h"
#include "trainer/optim/arena.h"
#include "trainer/optim/optim_config.h"

namespace sft {

struct Grouping {
  std::vector<ParameterGroup> groups;
  std::vector<int> group_of;  // of each parameter
};

// `num_blocks` is the model's. The rate of a parameter is the schedule's times layer_decay^d, d blocks below
// the top (BEiT, Bao et al. 2022, appendix: pooler and head d = 0, last block 1, embedding num_blocks + 1), and
// times head_lr_multiplier in the head.
Grouping group_parameters(const OptimConfig& config, const Parameters& parameters, int num_blocks);

}  // namespace sft
