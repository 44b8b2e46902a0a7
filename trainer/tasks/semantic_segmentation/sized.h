// Logits at the size of a mask.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sft {

// [B, K, h, w] → [B, K, height, width], as transformers' interpolate(…, align_corners = False).
at::Tensor sized(const at::Tensor& logits_BKhw, int64_t height, int64_t width);

// The class of each pixel, of equal logits the first: [1, K, h, w] → int64 [1, height, width]. Classes are brought to
// the size in groups of at most `most_logits` numbers, or one by one where a class alone has more.
at::Tensor likeliest(const at::Tensor& logits_1Khw, int64_t height, int64_t width, int64_t most_logits);

}  // namespace sft
