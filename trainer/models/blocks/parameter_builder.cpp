#include "trainer/models/blocks/parameter_builder.h"

#include <utility>

#include "trainer/models/initialize.h"

namespace sft {

at::Tensor ParameterBuilder::table(const std::string& name, int64_t rows, int64_t width, int64_t zero, int stage) {
  const at::Tensor table = drawn(name + ".weight", {rows, width}, deviation_, stage);
  if (zero >= 0) table.detach()[zero].zero_();
  return table;
}

at::Tensor ParameterBuilder::bias_table(const std::string& name, int64_t rows, int64_t width, double narrowed,
                                        int stage) {
  const at::Tensor table = drawn(name + ".weight", {rows, width}, deviation_ * narrowed, stage);
  list_.back().decays = false;
  return table;
}

Linear ParameterBuilder::linear(const std::string& name, int64_t out, int64_t in, int stage, const LinearTraits& form) {
  Linear layer = matrix(name + ".weight", out, in, stage, form);
  if (form.is_biased) layer.bias = constant(name + ".bias", out, 0.0, stage);
  return layer;
}

Linear ParameterBuilder::matrix(const std::string& name, int64_t out, int64_t in, int stage, const LinearTraits& form) {
  Linear layer{.weight = drawn(name, {out, in}, deviation_ * form.narrowed, stage), .bias = {}};
  list_.back().is_transposed_in_files = form.is_transposed_in_files;
  list_.back().shape_in_files = form.shape_in_files;
  return layer;
}

at::Tensor ParameterBuilder::drawn_biases(const std::string& name, at::IntArrayRef shape, int stage) {
  const at::Tensor biases = drawn(name, shape, deviation_, stage);
  list_.back().decays = false;
  return biases;
}

LayerNorm ParameterBuilder::norm(const std::string& name, int64_t width, double eps, int stage, bool is_biased) {
  LayerNorm norm{.weight = constant(name + ".weight", width, 1.0, stage), .bias = {}, .eps = eps};
  if (is_biased) norm.bias = constant(name + ".bias", width, 0.0, stage);
  return norm;
}

RmsNorm ParameterBuilder::rms_norm(const std::string& name, int64_t width, double eps, int stage) {
  return {constant(name + ".weight", width, 1.0, stage), eps};
}

at::Tensor ParameterBuilder::layer_scale(const std::string& name, int64_t width, double value, int stage) {
  const at::Tensor factors = constant(name, width, value, stage);
  list_.back().decays = true;
  return factors;
}

at::Tensor ParameterBuilder::drawn(const std::string& name, at::IntArrayRef shape, double deviation, int stage) {
  const at::Tensor value = normal_parameter(prefix_ + name, shape, deviation, seed_, options_, cutoff_);
  return listed({.name = prefix_ + name, .value = value, .stage = stage, .decays = true, .may_be_narrow = true});
}

at::Tensor ParameterBuilder::constant(const std::string& name, int64_t size, double value, int stage) {
  const at::Tensor filled = constant_parameter({size}, value, options_);
  return listed({.name = prefix_ + name, .value = filled, .stage = stage, .decays = false});
}

at::Tensor ParameterBuilder::listed(Parameter parameter) {
  parameter.value.set_requires_grad(true);
  list_.push_back(std::move(parameter));
  return list_.back().value;
}

}  // namespace sft
