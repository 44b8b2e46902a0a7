#include "trainer/models/blocks/sinusoidal.h"

#include <ATen/ops/empty.h>

#include <cmath>

namespace sft {

at::Tensor sinusoidal_positions(int64_t positions, int64_t width, const at::TensorOptions& options) {
  const at::Tensor table = at::empty({positions, width}, at::kFloat);
  float* row = table.mutable_data_ptr<float>();
  const int64_t sines = (width + 1) / 2;
  for (int64_t p = 0; p < positions; ++p, row += width)
    for (int64_t i = 0; i < sines; ++i) {
      const double angle =
          static_cast<double>(p) / std::pow(10000.0, 2 * static_cast<double>(i) / static_cast<double>(width));
      row[i] = static_cast<float>(std::sin(angle));
      if (sines + i < width) row[sines + i] = static_cast<float>(std::cos(angle));
    }
  return table.to(options);
}

}  // namespace sft
