#include "trainer/models/blocks/narrow_weights.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/empty.h>

namespace sft {

void NarrowWeights::add(Linear& layer, at::ScalarType type) { wanted_.push_back({&layer, type}); }

void NarrowWeights::follow() {
  const at::NoGradGuard no_graph;
  for (const auto& [layer, type] : wanted_) {
    layer->narrow_weight = copy_of(layer->weight, type);
    if (layer->bias.defined() && !layer->bias.is_cpu()) layer->narrow_bias = copy_of(layer->bias, type);
  }
  wanted_.clear();
  if (!narrow_.empty()) at::_foreach_copy_(narrow_, masters_);
}

at::Tensor NarrowWeights::copy_of(const at::Tensor& parameter, at::ScalarType type) {
  if (parameter.scalar_type() == type || !parameter.requires_grad()) return parameter.detach().to(type);
  masters_.push_back(parameter);
  narrow_.push_back(at::empty(parameter.sizes(), parameter.options().dtype(type).requires_grad(false)));
  return narrow_.back();
}

}  // namespace sft
