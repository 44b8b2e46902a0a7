#include "trainer/models/blocks/patch_rows.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros_like.h>

namespace sft {
namespace {

// All are of one length, so one group has them in their order.
SequenceGroups one_group(int64_t pictures, int64_t keys, int64_t queries, const at::Tensor& key_offsets,
                         const at::Tensor& query_offsets) {
  SequenceGroups groups;
  if (key_offsets.is_cpu()) return groups;
  groups.groups = {{.first = 0, .count = pictures, .longest = keys, .most_queries = queries}};
  groups.order_B = at::arange(pictures, key_offsets.options().dtype(at::kInt));
  groups.queries = query_offsets.to(at::kInt);
  groups.keys = queries == keys ? groups.queries : key_offsets.to(at::kInt);
  return groups;
}

}  // namespace

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
  const at::Tensor offsets = each * T;
  read.rows_M = offsets.narrow(0, 0, pictures);
  read.positions_M = at::zeros_like(images.draws_B);
  read.draws_M = images.draws_B;
  rows.groups = one_group(pictures, T, T, offsets, offsets);
  read.groups = one_group(pictures, T, 1, offsets, each);
  return rows;
}

}  // namespace sft
