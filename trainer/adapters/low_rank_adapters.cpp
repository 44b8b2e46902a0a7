#include "trainer/adapters/low_rank_adapters.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "trainer/models/blocks/matrix_product.h"
#include "trainer/models/initialize.h"

namespace sft {

Parameters LowRankAdapters::parameters() const {
  Parameters all;
  for (const auto& [layer, low_rank] : layers) {
    all.push_back({.name = layer.name + ".lora_A.weight", .value = low_rank->a, .stage = layer.stage});
    all.push_back({.name = layer.name + ".lora_B.weight", .value = low_rank->b, .stage = layer.stage});
  }
  return all;
}

LowRankAdapters put_adapters(const std::vector<NamedLinear>& layers, const LoraConfig& config, at::ScalarType dtype,
                             uint64_t seed, uint64_t dropout_seed) {
  LowRankAdapters adapters{.config = config};
  for (const NamedLinear& named : layers) {
    const at::Tensor& weight = named.layer->weight;  // [out, in]
    const auto options = weight.options().dtype(dtype).requires_grad(false);
    const double bound = 1.0 / std::sqrt(static_cast<double>(weight.size(1)));
    LowRank made{
        .a = uniform_parameter(named.name + ".lora_A.weight", {config.r, weight.size(1)}, bound, seed, options),
        .b = constant_parameter({weight.size(0), config.r}, 0.0, options),
        .scale = config.scale(),
        .dropout = {dropout_key(dropout_seed, "lora/" + named.name), config.lora_dropout}};
    named.layer->adapter = std::make_shared<const LowRank>(std::move(made));
    adapters.layers.push_back({named, named.layer->adapter});
  }
  return adapters;
}

at::Tensor merged(const at::Tensor& weight, const LowRank& low_rank) {
  const at::NoGradGuard no_graph;
  at::Tensor sum = weight.detach().to(low_rank.a.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
  add_product(sum, low_rank.b.detach() * low_rank.scale, low_rank.a.detach());
  return sum;
}

}  // namespace sft
