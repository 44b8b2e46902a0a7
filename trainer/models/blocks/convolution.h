// Convolutions with a BatchNorm behind them or without one: what ResNet and VGG share. Parameters are started as
// transformers and torchvision start theirs: Kaiming's normal for what goes out, biases zero, norms one.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "trainer/models/blocks/batch_norm.h"
#include "trainer/models/initial_seed.h"
#include "trainer/models/parameter.h"

namespace sft {

// Lists what it makes in forward order: parameters, and running statistics as buffers.
class ConvolutionBuilder {
 public:
  ConvolutionBuilder(Parameters& parameters, Parameters& buffers, std::string prefix, const at::TensorOptions& options,
                     InitialSeed seed)
      : parameters_(parameters), buffers_(buffers), prefix_(std::move(prefix)), options_(options), seed_(seed) {}

  at::Tensor weight(const std::string& name, int64_t out, int64_t in, int64_t kernel, int stage);  // [out, in, k, k]
  at::Tensor matrix(const std::string& name, int64_t out, int64_t in, double deviation, int stage);
  at::Tensor bias(const std::string& name, int64_t out, int stage);
  BatchNorm norm(const std::string& name, int64_t channels, int stage);  // name.weight, name.running_mean, …

 private:
  at::Tensor listed(const std::string& name, const at::Tensor& value, int stage, bool decays);
  at::Tensor kept(const std::string& name, const at::Tensor& value, int stage);

  Parameters& parameters_;
  Parameters& buffers_;
  std::string prefix_;
  at::TensorOptions options_;
  InitialSeed seed_;
};

// By the batch in training, unless the rule says that running statistics normalise: always, or because the norm is
// frozen.
at::Tensor batch_norm_by_rule(const at::Tensor& x_BCHW, const BatchNorm& norm, const BatchNormRule& rule,
                              bool is_training);

}  // namespace sft
