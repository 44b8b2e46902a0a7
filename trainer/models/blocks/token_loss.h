// The head of a language model and its cross-entropy in one: logits of M rows over V words are never kept. They are
// made for some rows at a time, 64 MiB of them on a CPU, and become their own gradient in place; the products with it
// follow at once, in the forward pass, for the denominator of the loss is known before. (Hsu et al., 2024,
// arXiv:2410.10989.)
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace sft {

struct TokenHead {
  // A leaf; its gradient is added where it has one preset. One that does not train may be held in a narrower type than
  // the rows' (held_weight.h).
  at::Tensor weight_VC;
  double label_smoothing = 0;
  at::Tensor bias_V = {};  // added to the logits, and not trained; undefined: none
};

// Σ over the rows of weight · ((1 − ε) · −log p(target) + ε · the mean over all words of −log p): a scalar with a
// graph, in the type of x. Its quotient by `total` is what backward() is to be called on, once.
//   x [M, C], targets [M] in 0 … V − 1, weights [M]
at::Tensor token_loss_sum(const at::Tensor& x_MC, const TokenHead& head, std::span<const int64_t> targets,
                          std::span<const float> weights, double total);

// Of each row, unsmoothed.
struct TokenScores {
  std::vector<double> surprise;  // −log p of the target
  std::vector<int64_t> best;     // the likeliest word
  bool are_finite() const;
};
TokenScores token_scores(const at::Tensor& x_MC, const TokenHead& head, std::span<const int64_t> targets);

// Logits [M, V] of all rows at once, in the type of x.
at::Tensor token_logits(const at::Tensor& x_MC, const TokenHead& head);

// How many rows of logits are made at a time.
int64_t rows_a_piece(int64_t num_words, const at::Device& device, at::ScalarType type);

}  // namespace sft
