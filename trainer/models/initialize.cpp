#include "trainer/models/initialize.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <cmath>

#include "base/random.h"

namespace sft {

namespace {

// Drawn in float on the host and converted: every device and dtype starts from the same values.
at::Generator generator_of(const std::string& name, uint64_t seed) {
  return at::detail::createCPUGenerator(derive_key(seed, "initialize/" + name));
}

}  // namespace

at::Tensor normal_parameter(const std::string& name, at::IntArrayRef shape, double deviation, InitialSeed seed,
                            const at::TensorOptions& options, std::optional<double> cutoff) {
  if (!seed) return at::empty(shape, options);
  at::Tensor values = at::empty(shape, at::kFloat);
  if (!cutoff) return values.normal_(0.0, deviation, generator_of(name, *seed)).to(options);
  // The inverse of the distribution function, of uniform values between its ends, as torch's trunc_normal_ has it.
  const double end = std::erf(*cutoff / std::sqrt(2.0));
  values.uniform_(-end, end, generator_of(name, *seed)).erfinv_().mul_(deviation * std::sqrt(2.0));
  return values.clamp_(-*cutoff * deviation, *cutoff * deviation).to(options);
}

at::Tensor uniform_parameter(const std::string& name, at::IntArrayRef shape, double bound, uint64_t seed,
                             const at::TensorOptions& options) {
  return at::empty(shape, at::kFloat).uniform_(-bound, bound, generator_of(name, seed)).to(options);
}

at::Tensor constant_parameter(at::IntArrayRef shape, double value, const at::TensorOptions& options) {
  return at::full(shape, value, options);
}

}  // namespace sft
