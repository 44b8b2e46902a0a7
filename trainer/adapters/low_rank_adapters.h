// Low-rank adapters on layers of a model: A and B train in place of the weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trainer/adapters/lora_config.h"
#include "trainer/models/blocks/low_rank.h"
#include "trainer/models/model.h"
#include "trainer/models/parameter.h"

namespace sft {

struct AdaptedLayer {
  NamedLinear layer;
  std::shared_ptr<const LowRank> low_rank;  // stands in layer.layer->adapter too
};

// As values: copies share their tensors. Borrows the model that it was put on.
struct LowRankAdapters {
  LoraConfig config = {};  // r = 0: there are none
  std::vector<AdaptedLayer> layers = {};

  bool empty() const { return layers.empty(); }
  // "<module>.lora_A.weight" [r, in] and "<module>.lora_B.weight" [out, r] of each, in forward order. Both decay.
  Parameters parameters() const;
};

// Puts an adapter on each of these layers, of the type `dtype`: A uniform in ±1/√in, as PEFT's (kaiming_uniform with
// a = √5), from the seed and the parameter's name alone, B zero, so that nothing changes at first. Dropout is keyed by
// `dropout_seed` and the module's name.
LowRankAdapters put_adapters(const std::vector<NamedLinear>& layers, const LoraConfig& config, at::ScalarType dtype,
                             uint64_t seed, uint64_t dropout_seed);

// W + s · B A, computed in the type of A: a tensor of its own. `weight` is what the layer holds.
at::Tensor merged(const at::Tensor& weight, const LowRank& low_rank);

}  // namespace sft
