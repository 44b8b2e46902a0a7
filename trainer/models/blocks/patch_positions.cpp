#include "trainer/models/blocks/patch_positions.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/upsample_bicubic2d.h>

#include <cmath>

#include "trainer/models/blocks/on_device.h"

namespace sft {
namespace {

// The side of a square of patches behind a class token; 0: there is none.
int64_t side_of(at::IntArrayRef shape) {
  if (shape.size() != 3 || shape[0] != 1 || shape[1] < 2) return 0;
  const int64_t side = std::llround(std::sqrt(static_cast<double>(shape[1] - 1)));
  return side * side == shape[1] - 1 ? side : 0;
}

}  // namespace

at::Tensor resized_positions(const at::Tensor& positions, at::IntArrayRef wanted) {
  const int64_t before = side_of(positions.sizes()), after = side_of(wanted);
  if (before == 0 || after == 0 || positions.size(2) != wanted[2]) return {};
  const at::Tensor wide = positions.to(wide_type(positions.scalar_type()));
  const at::Tensor patches = wide.narrow(1, 1, before * before).reshape({before, before, 1, wanted[2]});
  const at::Tensor resized = at::upsample_bicubic2d(patches.permute({2, 3, 0, 1}), {after, after}, false);
  return at::cat({wide.narrow(1, 0, 1), resized.permute({0, 2, 3, 1}).reshape({1, after * after, wanted[2]})}, 1);
}

}  // namespace sft
