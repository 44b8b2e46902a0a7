// Activations by Keras's names.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "trainer/models/keras/layer_config.h"

namespace sft::keras {

using Function = std::function<at::Tensor(const at::Tensor&)>;

// `key` of the layer's config: a name, null for none, or Keras 3's {"config": name}. Channels, over which softmax sums,
// are dimension 1. Some differ by the major version of Keras: hard_sigmoid is 0.2x + 0.5 in 2 and relu6(x + 3)/6 in 3.
// ConfigError for one that is not built.
Function activation(const LayerConfig& config, const char* key, int keras);

// The name in the config's value; "linear" for null.
std::string activation_name(const nlohmann::json& activation);

}  // namespace sft::keras
