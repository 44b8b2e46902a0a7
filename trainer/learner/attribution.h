// What the prediction of a label hangs on: a score for each part of a sample, a word or a piece of a picture, above 0
// where it speaks for the label.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trainer/learner/learner.h"
#include "trainer/tasks/blocks/logits_task.h"

namespace sft {

struct Attribution {
  std::vector<double> scores;    // a part each
  double convergence_delta = 0;  // of integrated gradients: the sum of the scores less what it is to be
};

// A batch of B samples, and the network as a function of one tensor x that holds them: rows of embedded tokens, or
// pixels.
class Explainable {
 public:
  virtual ~Explainable() = default;
  virtual at::Tensor x() = 0;
  virtual at::Tensor logits(const at::Tensor& x) = 0;  // [B, labels]
  virtual at::Tensor labels(const at::Tensor& logits) const = 0;  // those that the samples are given, [B, 1]
  virtual at::Tensor blank() = 0;                      // x with all parts of all samples hidden
  virtual at::Tensor origin() = 0;                     // what gradient × input measures x from; broadcast to x
  virtual std::vector<size_t> num_parts() const = 0;   // [B]
  // x with part `number` of each sample hidden that has so many.
  virtual at::Tensor without(size_t number) = 0;
  // A number for each element of x, summed over each part: [B][parts].
  virtual std::vector<std::vector<double>> over_parts(const at::Tensor& of_elements) const = 0;
};

// "gradient", "integrated", "occlusion".
const std::vector<std::string>& attribution_ways();

// Explains the label that each sample is given: the likeliest, or of two the one that a threshold chooses.
//   gradient    Σ (x − origin) · ∂logit/∂x over the elements of a part (gradient × input; captum's InputXGradient)
//   integrated  Σ (x − blank) · ∫ ∂logit/∂x along the line from blank to x, by Gauss and Legendre's rule of 32 points
//               (Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", 2017; captum's
//               IntegratedGradients). Scores sum to logit(x) − logit(blank) but for convergence_delta
//   occlusion   how much the label's probability falls where the part alone is hidden
// Requires a way of attribution_ways().
std::vector<Attribution> attribute(const std::string& way, Explainable& batch);

// The learner's task. ConfigError where it does not give one logit a label.
LogitsTask& explained_task(Learner& learner);

// In host memory, [elements].
std::vector<double> numbers_of(const at::Tensor& tensor);

// Nodes and weights on [0, 1], whose weighted sum is the integral of polynomials of degree 2n − 1.
std::vector<std::pair<double, double>> gauss_legendre(int n);

}  // namespace sft
