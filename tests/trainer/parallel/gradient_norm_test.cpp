#include "trainer/parallel/gradient_norm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "trainer/parallel/gradient_sync.h"

namespace sft {
namespace {

// Shown to fail: one fp32 sum over the whole buffer is off by 3e-4 here.
TEST(GradientNorm, IsExactToFp32OverLongBuffers) {
  for (const int64_t size : {int64_t{1}, int64_t{4095}, int64_t{4096}, int64_t{10'000}, int64_t{8'000'003}}) {
    const at::Tensor flat = at::sin(at::arange(size, at::kFloat)) * 1e-4;
    const double exact = flat.to(at::kDouble).norm().item<double>();
    const at::Tensor norm = norm_of(flat);
    EXPECT_EQ(norm.scalar_type(), at::kFloat);
    EXPECT_NEAR(norm.item<double>(), exact, 1e-7 * exact) << size;
    EXPECT_NEAR(norm_of(flat.to(at::kDouble)).item<double>(), exact, 1e-12 * exact) << size;
  }
}

TEST(GradientNorm, ScalesDownToTheBoundAndNeverUp) {
  const at::Tensor flat = at::full({4}, 3.0, at::kDouble);  // norm 6
  scale_to_norm({flat}, norm_of(flat), 12.0);
  EXPECT_TRUE((flat == 3.0).all().item<bool>());
  scale_to_norm({flat}, norm_of(flat), 1.5);
  EXPECT_NEAR(flat[0].item<double>(), 3.0 * 1.5 / (6.0 + 1e-6), 1e-15);
}

TEST(GradientNorm, ShowsWhatIsNotFinite) {
  const at::Tensor flat = at::tensor({1.0f, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(std::isnan(norm_of(flat).item<float>()));
  EXPECT_TRUE(std::isinf(norm_of(at::tensor({1.0f, -std::numeric_limits<float>::infinity()})).item<float>()));
}

TEST(BufferOf, IsTheTensorsOwnMemoryAndType) {
  const at::Tensor tensor = at::zeros({2, 3}, at::kDouble);
  const Buffer buffer = buffer_of(tensor);
  EXPECT_EQ(buffer.data, tensor.data_ptr());
  EXPECT_EQ(buffer.count, 6);
  EXPECT_EQ(buffer.element, Element::f64);
  EXPECT_THROW(buffer_of(at::zeros({2}, at::kComplexFloat)), CommError);
}

}  // namespace
}  // namespace sft
