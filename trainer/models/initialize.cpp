#include "trainer/models/initialize.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include "base/random.h"

namespace sft {

namespace {

// Drawn in float on the host and converted: every device and dtype starts from the same values.
at::Generator generator_of(const std::string& name, uint64_t seed) {
  return at::detail::createCPUGenerator(derive_key(seed, "initialize/" + name));
}

}  // namespace

at::Tensor normal_parameter(const std::string& name, at::IntArrayRef shape, double deviation, InitialSeed seed,
                            const at::TensorOptions& options) {
  if (!seed) return at::empty(shape, options);
  return at::empty(shape, at::kFloat).normal_(0.0, deviation, generator_of(name, *seed)).to(options);
}

at::Tensor uniform_parameter(const std::string& name, at::IntArrayRef shape, double bound, uint64_t seed,
                             const at::TensorOptions& options) {
  return at::empty(shape, at::kFloat).uniform_(-bound, bound, generator_of(name, seed)).to(options);
}

at::Tensor constant_parameter(at::IntArrayRef shape, double value, const at::TensorOptions& options) {
  return at::full(shape, value, options);
}

}  // namespace sft
