#include "trainer/models/blocks/parameter_builder.h"

#include "trainer/models/initialize.h"

namespace sft {

at::Tensor ParameterBuilder::table(const std::string& name, int64_t rows, int64_t width, int64_t zero, int stage) {
  const at::Tensor table = drawn(name + ".weight", {rows, width}, stage);
  if (zero >= 0) table.detach()[zero].zero_();
  return table;
}

Linear ParameterBuilder::linear(const std::string& name, int64_t out, int64_t in, int stage) {
  return {drawn(name + ".weight", {out, in}, stage), constant(name + ".bias", out, 0.0, stage)};
}

LayerNorm ParameterBuilder::norm(const std::string& name, int64_t width, double eps, int stage) {
  return {constant(name + ".weight", width, 1.0, stage), constant(name + ".bias", width, 0.0, stage), eps};
}

at::Tensor ParameterBuilder::drawn(const std::string& name, at::IntArrayRef shape, int stage) {
  return listed(name, normal_parameter(prefix_ + name, shape, deviation_, seed_, options_), stage, true);
}

at::Tensor ParameterBuilder::constant(const std::string& name, int64_t size, double value, int stage) {
  return listed(name, constant_parameter({size}, value, options_), stage, false);
}

at::Tensor ParameterBuilder::listed(const std::string& name, const at::Tensor& value, int stage, bool decays) {
  value.set_requires_grad(true);
  list_.push_back({prefix_ + name, value, stage, decays});
  return value;
}

}  // namespace sft
