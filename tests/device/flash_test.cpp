// Attention that keeps no probabilities, in bfloat16, against the CPU's in float64 on the same rounded numbers.
#include <ATen/ATen.h>

#include "device/gpu.h"
#include "trainer/models/blocks/attention.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::distance;
using testing::drawn;

constexpr int64_t kHeads = 3;

at::Tensor rounded(const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kDouble); }

// Sequences of a batch; of sequence b the draw is 4 + 3 b.
struct Rows {
  std::vector<int64_t> offsets{0}, order;
  std::vector<SequenceGroup> groups;

  explicit Rows(const std::vector<int64_t>& lengths) {
    for (const int64_t length : lengths) offsets.push_back(offsets.back() + length);
    groups = group_sequences(offsets, order);
  }
  int64_t count() const { return offsets.back(); }

  // The token's place in its sequence, [N].
  at::Tensor places() const {
    std::vector<at::Tensor> of_each;
    for (size_t b = 0; b + 1 < offsets.size(); ++b) of_each.push_back(at::arange(offsets[b + 1] - offsets[b]));
    return at::cat(of_each);
  }
};

struct Inputs {
  at::Tensor q, k, v, d_out;  // [N, heads · width], float64 on the host, of values that bfloat16 has
};

Inputs random_inputs(const Rows& rows, int64_t width) {
  const auto random = [&](uint64_t seed) { return rounded(drawn({rows.count(), kHeads * width}, seed)); };
  return {random(1), random(2), random(3), random(4)};
}

// The result, and the gradients of q, k, v, in host memory.
std::vector<at::Tensor> pass(const Rows& rows, const Inputs& inputs, double p, const c10::Device& where) {
  const at::ScalarType type = where.is_cpu() ? at::kDouble : at::kBFloat16;
  const auto leaf = [&](const at::Tensor& x) { return x.to(where, type).detach().clone().set_requires_grad(true); };
  const at::Tensor q = leaf(inputs.q), k = leaf(inputs.k), v = leaf(inputs.v);
  const at::Tensor draws = at::arange(static_cast<int64_t>(rows.offsets.size()) - 1).mul(3).add(4).to(where);
  const SequenceGroups batch{rows.groups, at::tensor(rows.order, at::kInt).to(where),
                             at::tensor(rows.offsets, at::kInt).to(where)};
  const at::Tensor out = attend(q, k, v, {kHeads, &rows.offsets, draws, false, {dropout_key(5, "a"), p}, &batch});
  out.backward(inputs.d_out.to(where, type));
  std::vector<at::Tensor> results{out.detach(), q.grad(), k.grad(), v.grad()};
  for (at::Tensor& result : results) result = result.cpu().to(at::kDouble);
  return results;
}

class DeviceFlashAttention : public testing::OnGpu {
 protected:
  void compare(const std::vector<int64_t>& lengths, const std::string& what) const {
    const Rows rows(lengths);
    for (const int64_t width : {32, 64}) {
      for (const double p : {0.0, 0.2}) {
        const Inputs inputs = random_inputs(rows, width);
        const auto ours = pass(rows, inputs, p, device), expected = pass(rows, inputs, p, c10::kCPU);
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

TEST_F(DeviceFlashAttention, IsTheCpusToRoundingWithItsGradients) {
  compare({300, 8, 128, 65, 64, 1, 63, 129, 20, 33}, "lengths beside the edges of tiles");
}

TEST_F(DeviceFlashAttention, TakesASingleSequenceOfAnyLength) {
  for (const int64_t length : {1, 2, 31, 32, 64, 96, 672, 2000}) compare({length}, std::to_string(length));
}

// Equal scores, and values that are 1 at a key's place among 64: which keys a query kept stands in its result, and
// which queries kept a key in the gradient of its value.
TEST_F(DeviceFlashAttention, DropsTheSameProbabilitiesAsTheCpu) {
  const Rows rows({130, 31, 1, 64, 65, 200});
  for (const int64_t width : {32, 64}) {
    for (int64_t first = 0; first < 200; first += width) {
      const at::Tensor of_place = at::eye(width, at::kDouble).repeat({1, kHeads});
      const at::Tensor place = rows.places().sub(first), within = place.ge(0).logical_and(place.lt(width));
      const at::Tensor ones = of_place.index_select(0, place.clamp(0, width - 1)).mul(within.unsqueeze(1));
      const at::Tensor zeros = at::zeros_like(ones);
      const Inputs inputs{zeros, zeros, ones, ones};
      const auto ours = pass(rows, inputs, 0.3, device), expected = pass(rows, inputs, 0.3, c10::kCPU);
      ASSERT_GT(expected[0].count_nonzero().item<int64_t>(), 0);
      EXPECT_TRUE(ours[0].ne(0).equal(expected[0].ne(0))) << width << " " << first;
      EXPECT_TRUE(ours[3].ne(0).equal(expected[3].ne(0))) << width << " " << first;
    }
  }
}

TEST_F(DeviceFlashAttention, RepeatsTheBitsOfItsGradients) {
  const Rows rows({300, 8, 128, 65, 1, 500});
  const Inputs inputs = random_inputs(rows, 64);
  const auto once = pass(rows, inputs, 0.2, device), again = pass(rows, inputs, 0.2, device);
  for (size_t i = 0; i < once.size(); ++i) EXPECT_TRUE(once[i].equal(again[i])) << i;
}

}  // namespace
}  // namespace sft
