// What the prediction of a label hangs on: a score for each word of a text, above 0 where it speaks for the label.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/samples/batch.h"
#include "trainer/learner/learner.h"
#include "trainer/learner/stages.h"
#include "trainer/tasks/blocks/logits_task.h"

namespace sft {

// Of a batch of N packed tokens.
struct BatchWords {
  std::vector<int32_t> word_of;   // [N] of its sample; −1: special tokens, which are never hidden nor scored
  std::vector<size_t> num_words;  // [B]
};

struct Attribution {
  std::vector<double> scores;    // a word each
  double convergence_delta = 0;  // of integrated gradients: the scores of all tokens less what they are to sum to
};

class Attributor {
 public:
  // Borrows `learner`. `blank`: the token that stands where words are hidden. ConfigError where the model's task does
  // not give one logit a label.
  Attributor(Learner& learner, int32_t blank);

  // The functions below explain the label of the largest logit, of each sample of the batch. ConfigError naming the
  // model where its embedding has not one row a token.

  // Σ x · ∂logit/∂x over the embedded tokens x of a word (gradient × input; captum's LayerGradientXActivation).
  std::vector<Attribution> gradient(const Batch& batch, const BatchWords& words);

  // Σ (x − x₀) · ∫ ∂logit/∂x along the line from x₀, the text with all its words hidden, to x, by Gauss and Legendre's
  // rule of 32 points (Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", 2017; captum's
  // LayerIntegratedGradients). Scores of all tokens sum to logit(x) − logit(x₀) but for convergence_delta.
  std::vector<Attribution> integrated(const Batch& batch, const BatchWords& words);

  // How much the label's probability falls where the word alone is hidden.
  std::vector<Attribution> occlusion(const Batch& batch, const BatchWords& words);

 private:
  struct Pass {
    at::Tensor embedded_NC;
    at::Tensor labels_B1;
  };
  at::Tensor embed(const Inputs& inputs);
  at::Tensor logits(const at::Tensor& embedded_NC, const Inputs& inputs);
  // Σ over samples of the labels' logits at `embedded_NC`, differentiated by it; also the logits [B, 1].
  std::pair<at::Tensor, at::Tensor> slope(const at::Tensor& embedded_NC, const Inputs& inputs,
                                          const at::Tensor& labels_B1);
  Pass begin(const Inputs& inputs);
  // The batch with another token where hidden_N is true.
  Inputs hidden(const Inputs& inputs, const at::Tensor& hidden_N) const;

  Learner& learner_;
  LogitsTask& task_;
  Stages stages_;
  int32_t blank_;
};

// Nodes and weights on [0, 1], whose weighted sum is the integral of polynomials of degree 2n − 1.
std::vector<std::pair<double, double>> gauss_legendre(int n);

}  // namespace sft
