// The activations of config.json, by transformers' names.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace sft {

enum class Activation { gelu, gelu_tanh, relu, silu, tanh, sigmoid, quick_gelu, mish };

// ConfigError for a name that is not built, with those that are; `key` is config.json's.
Activation activation_named(const std::string& name, const std::string& key = "hidden_act");

// activation(x), of any shape.
at::Tensor activate(Activation activation, const at::Tensor& x);

// activation(x + bias); x [N, C], bias [C] that of the layer which made x.
at::Tensor activate(Activation activation, const at::Tensor& x, const at::Tensor& bias);

}  // namespace sft
