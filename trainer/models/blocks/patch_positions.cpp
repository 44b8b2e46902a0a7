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

at::Tensor positions_on(const at::Tensor& positions_LTC, const PatchGrid& before, const PatchGrid& after) {
  const at::Tensor wide_LTC = positions_LTC.to(wide_type(positions_LTC.scalar_type()));
  if (before == after) return wide_LTC;
  const int64_t layers = wide_LTC.size(0), behind = wide_LTC.size(1) - 1 - before.patches(),
                channels = wide_LTC.size(2);
  const at::Tensor patches_LHWC =
      wide_LTC.narrow(1, 1, before.patches()).reshape({layers, before.height, before.width, channels});
  const at::Tensor resized_LCHW =
      at::upsample_bicubic2d(patches_LHWC.permute({0, 3, 1, 2}), {after.height, after.width}, /*align_corners=*/false);
  return at::cat(
      {wide_LTC.narrow(1, 0, 1), resized_LCHW.permute({0, 2, 3, 1}).reshape({layers, after.patches(), channels}),
       wide_LTC.narrow(1, 1 + before.patches(), behind)},
      1);
}

at::Tensor resized_positions(const at::Tensor& positions, at::IntArrayRef wanted) {
  const int64_t before = side_of(positions.sizes()), after = side_of(wanted);
  if (before == 0 || after == 0 || positions.size(2) != wanted[2]) return {};
  return positions_on(positions, {before, before}, {after, after});
}

}  // namespace sft
