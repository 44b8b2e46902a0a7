// Attention that keeps no probabilities, in bfloat16, against the CPU's in float64 on the same rounded numbers.
#include <ATen/ATen.h>

#include "device/attention_on.h"
#include "device/gpu.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::all_rows;
using testing::Asked;
using testing::attend_on;
using testing::AttentionCase;
using testing::distance;
using testing::other_keys;
using testing::some_rows;

constexpr int64_t kHeads = 3;

at::Tensor rounded(const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kDouble); }

// A case whose numbers bfloat16 has.
void round(AttentionCase& with) {
  for (at::Tensor* x : {&with.q, &with.k, &with.v}) *x = rounded(x->detach()).set_requires_grad(true);
  with.seen = rounded(with.seen);
}

class DeviceFlashAttention : public testing::OnGpu {
 protected:
  void compare(const Asked& asked, const std::string& what, bool causal = false, int64_t window = 0,
               int64_t key_heads = kHeads) const {
    for (const int64_t width : {32, 64, 128}) {
      for (const double p : {0.0, 0.2}) {
        AttentionCase with(asked, {.heads = kHeads, .key_heads = key_heads, .width = width, .p = p});
        with.attention.causal = causal;
        with.attention.window = window;
        round(with);
        const auto ours = attend_on(device, at::kBFloat16, with), expected = attend_on(c10::kCPU, at::kDouble, with);
        // The gradient of a softmax over one key is zero, and nothing can be divided by its norm.
        for (size_t i = 0; i < ours.size(); ++i)
          EXPECT_LT(expected[i].norm().item<double>() > 0 ? distance(ours[i], expected[i])
                                                          : ours[i].abs().max().item<double>(),
                    2e-2)
              << what << " width " << width << " p " << p << " " << i;
      }
    }
  }
};

const std::vector<int64_t> kBesideTiles{300, 8, 128, 65, 64, 1, 63, 129, 20, 33}, kFewTiles{80, 1, 20};

TEST_F(DeviceFlashAttention, IsTheCpusToRoundingWithItsGradients) {
  compare(all_rows(kBesideTiles), "lengths beside the edges of tiles");
}

TEST_F(DeviceFlashAttention, IsTheCpusForAnyMaskHeadsAndRowsThatAsk) {
  for (const bool causal : {false, true})
    for (const int64_t window : {0, 1, 70})
      for (const int64_t key_heads : {kHeads, int64_t{1}}) {
        compare(all_rows(kFewTiles), "all rows", causal, window, key_heads);
        compare(some_rows(kFewTiles), "some rows", causal, window, key_heads);
      }
  compare(other_keys(kFewTiles, {20, 130, 0}), "other keys");
  compare(all_rows({200}), "a tile in the middle that many see nothing of", true, 70);
}

// Not run by the kernels on a host, where it takes minutes.
TEST_F(DeviceFlashAttention, IsTheCpusForAnyMaskOverManyTiles) {
  for (const bool causal : {false, true})
    for (const int64_t window : {0, 1, 70})
      for (const int64_t key_heads : {kHeads, int64_t{1}}) {
        compare(all_rows(kBesideTiles), "all rows", causal, window, key_heads);
        compare(some_rows(kBesideTiles), "some rows", causal, window, key_heads);
      }
  compare(other_keys(kBesideTiles, {20, 130, 0, 64, 1, 200, 63, 65, 5, 128}), "other keys");
}

TEST_F(DeviceFlashAttention, TakesASingleSequenceOfAnyLength) {
  for (const int64_t length : {1, 2, 31, 32, 64, 96, 672, 2000}) compare(all_rows({length}), std::to_string(length));
}

// Equal scores, and values that are 1 at a key's place among 64: which keys a query kept stands in its result, and
// which queries kept a key in the gradient of its value.
TEST_F(DeviceFlashAttention, DropsTheSameProbabilitiesAsTheCpu) {
  const std::vector<int64_t> lengths{31, 1, 64, 100};
  for (const Asked& asked : {all_rows(lengths), some_rows(lengths)})
    for (const bool causal : {false, true})
      for (const int64_t width : {32, 64, 128})
        for (int64_t first = 0; first < 100; first += width) {
          AttentionCase with(asked, {.heads = kHeads, .key_heads = kHeads, .width = width, .p = 0.3});
          with.attention.causal = causal;
          const auto ones_at = [&](const std::vector<int64_t>& places) {
            const at::Tensor place = at::tensor(places, at::kLong).sub(first);
            const at::Tensor within = place.ge(0).logical_and(place.lt(width)).unsqueeze(1);
            return at::eye(width, at::kDouble)
                .repeat({1, kHeads})
                .index_select(0, place.clamp(0, width - 1))
                .mul(within);
          };
          with.q = at::zeros_like(with.q), with.k = at::zeros_like(with.k);
          with.v = ones_at(all_rows(lengths).places), with.seen = ones_at(asked.places);
          const auto ours = attend_on(device, at::kBFloat16, with), expected = attend_on(c10::kCPU, at::kDouble, with);
          EXPECT_TRUE(ours[0].ne(0).equal(expected[0].ne(0))) << causal << width << " " << first;
          EXPECT_TRUE(ours[3].ne(0).equal(expected[3].ne(0))) << causal << width << " " << first;
        }
}

TEST_F(DeviceFlashAttention, RepeatsTheBitsOfItsGradients) {
  AttentionCase with(all_rows({8, 128, 65, 1, 200}), {.heads = kHeads, .key_heads = 1, .width = 64, .p = 0.2});
  with.attention.causal = true;
  const auto once = attend_on(device, at::kBFloat16, with), again = attend_on(device, at::kBFloat16, with);
  for (size_t i = 0; i < once.size(); ++i) EXPECT_TRUE(once[i].equal(again[i])) << i;
}

}  // namespace
}  // namespace sft
