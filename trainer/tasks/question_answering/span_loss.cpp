// N tokens, B windows, L tokens of the longest window.
#include "trainer/tasks/question_answering/span_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>

#include <algorithm>
#include <limits>

#include "trainer/models/blocks/sent.h"

namespace sft {
namespace {

struct Places {
  int64_t longest = 0;        // L
  std::vector<int64_t> of_N;  // of each token in [B · L]
};

Places padded_places(const std::vector<int64_t>& offsets_B1) {
  Places places;
  for (size_t b = 0; b + 1 < offsets_B1.size(); ++b)
    places.longest = std::max(places.longest, offsets_B1[b + 1] - offsets_B1[b]);
  for (size_t b = 0; b + 1 < offsets_B1.size(); ++b)
    for (int64_t n = offsets_B1[b]; n < offsets_B1[b + 1]; ++n)
      places.of_N.push_back(static_cast<int64_t>(b) * places.longest + n - offsets_B1[b]);
  return places;
}

}  // namespace

at::Tensor span_loss_sum(const at::Tensor& logits_N2, const std::vector<int64_t>& offsets_B1,
                         const at::Tensor& spans_B2, const at::Tensor& weights_B) {
  const int64_t windows = static_cast<int64_t>(offsets_B1.size()) - 1;
  const Places places = padded_places(offsets_B1);
  const at::Tensor places_N = sent(places.of_N, logits_N2.device());
  // Places without a token have no part in the softmax.
  const at::Tensor padded_BL2 =
      at::full({windows * places.longest, 2}, -std::numeric_limits<double>::infinity(), logits_N2.options())
          .index_copy(0, places_N, logits_N2)
          .view({windows, places.longest, 2});
  const at::Tensor likely_B2 = at::log_softmax(padded_BL2, 1).gather(1, spans_B2.unsqueeze(1)).squeeze(1);
  return -0.5 * (likely_B2.sum(1) * weights_B).sum();
}

}  // namespace sft
