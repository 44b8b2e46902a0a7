#include "trainer/models/blocks/convolution.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "trainer/models/initialize.h"

namespace sft {

at::Tensor ConvolutionBuilder::weight(const std::string& name, int64_t out, int64_t in, int64_t kernel, int stage) {
  const double deviation = std::sqrt(2.0 / static_cast<double>(out * kernel * kernel));
  return listed(name, normal_parameter(prefix_ + name, {out, in, kernel, kernel}, deviation, seed_, options_), stage,
                true);
}

at::Tensor ConvolutionBuilder::matrix(const std::string& name, int64_t out, int64_t in, double deviation, int stage) {
  return listed(name, normal_parameter(prefix_ + name, {out, in}, deviation, seed_, options_), stage, true);
}

at::Tensor ConvolutionBuilder::bias(const std::string& name, int64_t out, int stage) {
  return listed(name, constant_parameter({out}, 0.0, options_), stage, false);
}

BatchNorm ConvolutionBuilder::norm(const std::string& name, int64_t channels, int stage) {
  BatchNorm norm;
  norm.weight = listed(name + ".weight", constant_parameter({channels}, 1.0, options_), stage, false);
  norm.bias = listed(name + ".bias", constant_parameter({channels}, 0.0, options_), stage, false);
  norm.running_mean = kept(name + ".running_mean", at::zeros({channels}, options_), stage);
  norm.running_var = kept(name + ".running_var", at::ones({channels}, options_), stage);
  norm.num_batches_tracked = kept(name + ".num_batches_tracked", at::zeros({}, options_.dtype(at::kLong)), stage);
  return norm;
}

at::Tensor ConvolutionBuilder::listed(const std::string& name, const at::Tensor& value, int stage, bool decays) {
  value.set_requires_grad(true);
  parameters_.push_back({prefix_ + name, value, stage, decays});
  return value;
}

at::Tensor ConvolutionBuilder::kept(const std::string& name, const at::Tensor& value, int stage) {
  buffers_.push_back({prefix_ + name, value, stage, false});
  return value;
}

at::Tensor batch_norm_by_rule(const at::Tensor& x_BCHW, const BatchNorm& norm, const BatchNormRule& rule,
                              bool is_training) {
  const bool trains = norm.weight.requires_grad() || norm.bias.requires_grad();
  const bool by_batch = is_training && rule.mode != BatchNormMode::frozen && (trains || !rule.still_where_frozen);
  if (!by_batch) return batch_norm_by_running(x_BCHW, norm);
  return batch_norm_by_batch(x_BCHW, norm, rule.mode == BatchNormMode::synchronized ? rule.over : nullptr);
}

}  // namespace sft
