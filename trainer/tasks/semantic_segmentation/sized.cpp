#include "trainer/tasks/semantic_segmentation/sized.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/max.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/where.h>

#include <algorithm>

namespace sft {

at::Tensor sized(const at::Tensor& logits_BKhw, int64_t height, int64_t width) {
  return at::upsample_bilinear2d(logits_BKhw, {height, width}, /*align_corners=*/false);
}

at::Tensor likeliest(const at::Tensor& logits_1Khw, int64_t height, int64_t width, int64_t most_logits) {
  const int64_t classes = logits_1Khw.size(1), group = std::max<int64_t>(most_logits / (height * width), 1);
  at::Tensor best_1HW, class_1HW;
  for (int64_t first = 0; first < classes; first += group) {
    const at::Tensor few = logits_1Khw.narrow(1, first, std::min(group, classes - first));
    auto [most_1HW, where_1HW] = at::max(sized(few, height, width), 1);
    if (first == 0) {
      best_1HW = most_1HW;
      class_1HW = where_1HW;
      continue;
    }
    const at::Tensor is_more = most_1HW > best_1HW;
    class_1HW = at::where(is_more, where_1HW + first, class_1HW);
    best_1HW = at::maximum(best_1HW, most_1HW);
  }
  return class_1HW;
}

}  // namespace sft
