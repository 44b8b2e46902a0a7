// The loss of spans against torch's cross-entropy of each window alone.
#include "trainer/tasks/question_answering/span_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace sft {
namespace {

const std::vector<int64_t> kOffsets = {0, 5, 6, 14};

at::Tensor by_window(const at::Tensor& logits, const at::Tensor& spans, const at::Tensor& weights) {
  at::Tensor sum = at::zeros({}, at::kDouble);
  for (int64_t b = 0; b < 3; ++b) {
    const at::Tensor window = logits.slice(0, kOffsets[static_cast<size_t>(b)], kOffsets[static_cast<size_t>(b) + 1]);
    for (int64_t which = 0; which < 2; ++which)
      sum = sum +
            0.5 * weights[b] * at::cross_entropy_loss(window.select(1, which).unsqueeze(0), spans[b][which].view({1}));
  }
  return sum;
}

TEST(SpanLoss, IsTheCrossEntropyOfEachWindowAlone) {
  const at::Tensor logits = (3 * at::randn({14, 2}, at::kDouble)).requires_grad_();
  const at::Tensor spans = at::tensor({0, 4, 0, 0, 7, 2}, at::kLong).view({3, 2});
  const at::Tensor weights = at::tensor({1.0, 0.5, 2.0}, at::kDouble);
  const at::Tensor found = span_loss_sum(logits, kOffsets, spans, weights);
  found.backward();
  const at::Tensor gradient = logits.grad().clone();
  logits.mutable_grad().reset();
  const at::Tensor wanted = by_window(logits, spans, weights);
  wanted.backward();
  EXPECT_NEAR(found.item<double>(), wanted.item<double>(), 1e-12);
  EXPECT_LT((gradient - logits.grad()).abs().max().item<double>(), 1e-12);
}

TEST(SpanLoss, OfAWindowDoesNotDependOnItsNeighbours) {
  const at::Tensor logits = at::randn({14, 2}, at::kDouble);
  const at::Tensor spans = at::tensor({1, 3}, at::kLong).view({1, 2}), weights = at::tensor({1.0}, at::kDouble);
  const at::Tensor alone = span_loss_sum(logits.slice(0, 0, 5), {0, 5}, spans, weights);
  const at::Tensor all_spans = at::tensor({1, 3, 0, 0, 1, 1}, at::kLong).view({3, 2});
  const at::Tensor among = span_loss_sum(logits, kOffsets, all_spans, at::tensor({1.0, 0.0, 0.0}, at::kDouble));
  EXPECT_EQ(alone.item<double>(), among.item<double>());
}

}  // namespace
}  // namespace sft
