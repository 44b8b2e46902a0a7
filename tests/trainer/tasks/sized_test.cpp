// Classes at a mask's size, against all logits at once.
#include "trainer/tasks/semantic_segmentation/sized.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

namespace sft {
namespace {

TEST(SizedLogits, GiveTheSameClassesHoweverManyAreLookedAtAtOnce) {
  const at::Tensor logits_1Khw = at::randn({1, 7, 5, 6});
  const at::Tensor wanted = at::argmax(sized(logits_1Khw, 20, 31), 1);
  for (const int64_t most : {1, 20 * 31, 3 * 20 * 31, 6 * 20 * 31, 100 * 20 * 31})
    EXPECT_TRUE(at::equal(likeliest(logits_1Khw, 20, 31, most), wanted)) << most;
}

TEST(SizedLogits, GiveTheFirstOfEqualClasses) {
  const at::Tensor logits_1Khw = at::randint(0, 2, {1, 9, 8, 8}).to(at::kFloat);
  const at::Tensor wanted = at::argmax(logits_1Khw, 1);
  for (const int64_t most : {1, 2 * 64, 4 * 64})
    EXPECT_TRUE(at::equal(likeliest(logits_1Khw, 8, 8, most), wanted)) << most;
}

}  // namespace
}  // namespace sft
