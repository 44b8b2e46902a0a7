// Makes a model's parameters in forward order and keeps the list of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/models/blocks/add_norm.h"
#include "trainer/models/blocks/linear.h"
#include "trainer/models/blocks/rms_norm.h"
#include "trainer/models/initial_seed.h"
#include "trainer/models/parameter.h"

namespace sft {

// What is unusual in a layer.
struct LinearTraits {
  bool is_biased = true;
  bool is_transposed_in_files = false;
  double narrowed = 1.0;                     // its weights start at `deviation` times this
  std::vector<int64_t> shape_in_files = {};  // where that is not a matrix
};

// Started like transformers' own: weights normal of `deviation`, biases zero, norms one.
class ParameterBuilder {
 public:
  ParameterBuilder(Parameters& list, std::string prefix, const at::TensorOptions& options, double deviation,
                   InitialSeed seed)
      : list_(list), prefix_(std::move(prefix)), options_(options), deviation_(deviation), seed_(seed) {}

  // From now on no weight is drawn farther from zero than so many deviations.
  void cut_off_at(double deviations) { cutoff_ = deviations; }
  // [rows, width]; row `zero` is nil (−1: no row).
  at::Tensor table(const std::string& name, int64_t rows, int64_t width, int64_t zero, int stage);
  // [rows, width] of biases, which do not decay; they start at `deviation` times `narrowed`.
  at::Tensor bias_table(const std::string& name, int64_t rows, int64_t width, double narrowed, int stage);
  Linear linear(const std::string& name, int64_t out, int64_t in, int stage, const LinearTraits& form = {});
  LayerNorm norm(const std::string& name, int64_t width, double eps, int stage, bool is_biased = true);
  RmsNorm rms_norm(const std::string& name, int64_t width, double eps, int stage);
  // By their whole names: a matrix alone, biases of any shape that start as weights do, weights of any shape, a bias
  // [width], and factors [width] that decay as weights do.
  Linear matrix(const std::string& name, int64_t out, int64_t in, int stage, const LinearTraits& form);
  at::Tensor drawn_biases(const std::string& name, at::IntArrayRef shape, int stage);
  at::Tensor drawn(const std::string& name, at::IntArrayRef shape, int stage) {
    return drawn(name, shape, deviation_, stage);
  }
  at::Tensor bias(const std::string& name, int64_t width, int stage) { return constant(name, width, 0.0, stage); }
  at::Tensor layer_scale(const std::string& name, int64_t width, double value, int stage);

 private:
  at::Tensor drawn(const std::string& name, at::IntArrayRef shape, double deviation, int stage);
  at::Tensor constant(const std::string& name, int64_t size, double value, int stage);
  at::Tensor listed(Parameter parameter);

  Parameters& list_;
  std::string prefix_;
  at::TensorOptions options_;
  double deviation_;
  std::optional<double> cutoff_;
  InitialSeed seed_;
};

}  // namespace sft
