// The loss of a span: cross-entropy of its start and of its end over the tokens of its window.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace sft {

// N packed tokens of B windows; window b has the tokens offsets_B1[b] … offsets_B1[b+1], at least one. logits_N2: of
// the start and of the end. spans_B2: int64, places in the window. weights_B: of the logits' dtype.
//   Σ_b w_b · ½ (−log p_b(start) − log p_b(end)),   p_b a softmax over the window's own tokens
// which divided by Σ_b w_b is the loss of transformers' ForQuestionAnswering classes where no window is padded; where
// one is, theirs counts the padding as tokens.
at::Tensor span_loss_sum(const at::Tensor& logits_N2, const std::vector<int64_t>& offsets_B1,
                         const at::Tensor& spans_B2, const at::Tensor& weights_B);

}  // namespace sft
