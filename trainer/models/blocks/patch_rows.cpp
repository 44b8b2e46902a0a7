#include "trainer/models/blocks/patch_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros_like.h>

namespace sft {
SequenceGroups equal_groups(int64_t pictures, int64_t keys, int64_t queries, const at::Tensor& draws_B) {
  SequenceGroups groups;
  if (draws_B.is_cpu()) return groups;
  const at::Tensor each = at::arange(pictures + 1, draws_B.options().dtype(at::kInt));
  groups.groups = {{.first = 0, .count = pictures, .longest = keys, .most_queries = queries}};
  groups.order_B = each.narrow(0, 0, pictures);
  groups.queries = each * queries;
  groups.keys = queries == keys ? groups.queries : each * keys;
  return groups;
}

TextInputs patch_rows(const ImageInputs& images, int64_t rows_a_picture) {
  const int64_t pictures = images.draws_B.size(0), T = rows_a_picture;
  const at::Tensor each = at::arange(pictures + 1, images.draws_B.options());
  TextInputs rows;
  rows.draws_B = images.draws_B;
  // Of one picture a reshaped expansion is a view of one number, and kernels read memory.
  rows.draws_N = images.draws_B.unsqueeze(1).expand({pictures, T}).reshape({-1}).contiguous();
  rows.positions_N = at::arange(T, each.options()).unsqueeze(0).expand({pictures, T}).reshape({-1}).contiguous();
  rows.most_positions = T;
  ReadRows& read = rows.read.emplace();
  for (int64_t b = 0; b <= pictures; ++b) {
    rows.host_offsets.push_back(b * T);
    read.offsets.push_back(b);
  }
  read.rows_M = (each * T).narrow(0, 0, pictures);
  read.positions_M = at::zeros_like(images.draws_B);
  read.draws_M = images.draws_B;
  rows.groups = equal_groups(pictures, T, T, images.draws_B);
  read.groups = equal_groups(pictures, T, 1, images.draws_B);
  return rows;
}

}  // namespace sft
