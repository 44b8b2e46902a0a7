#include "trainer/models/blocks/patch_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>

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

TextInputs patch_rows(const ImageInputs& images, int64_t rows_a_picture, const RowRange& read) {
  const int64_t pictures = images.draws_B.size(0), T = rows_a_picture;
  const auto options = images.draws_B.options();
  // Of one picture a reshaped expansion is a view of one number, and kernels read memory.
  const auto of_each_picture = [&](const at::Tensor& numbers) {
    return numbers.unsqueeze(0).expand({pictures, numbers.size(0)}).reshape({-1}).contiguous();
  };
  const auto draws = [&](int64_t count) {
    return images.draws_B.unsqueeze(1).expand({pictures, count}).reshape({-1}).contiguous();
  };
  TextInputs rows;
  rows.draws_B = images.draws_B;
  rows.draws_N = draws(T);
  rows.positions_N = of_each_picture(at::arange(T, options));
  rows.most_positions = T;
  ReadRows& few = rows.read.emplace();
  for (int64_t b = 0; b <= pictures; ++b) {
    rows.host_offsets.push_back(b * T);
    few.offsets.push_back(b * read.count);
  }
  few.positions_M = of_each_picture(at::arange(read.first, read.first + read.count, options));
  few.rows_M = (at::arange(pictures, options) * T).repeat_interleave(read.count) + few.positions_M;
  few.draws_M = draws(read.count);
  rows.groups = equal_groups(pictures, T, T, images.draws_B);
  few.groups = equal_groups(pictures, T, read.count, images.draws_B);
  return rows;
}

}  // namespace sft
