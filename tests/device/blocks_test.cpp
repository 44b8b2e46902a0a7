// Blocks on the GPU against the CPU's, at sizes that fill no thread block and at those of real models.
#include <ATen/ATen.h>

#include "base/errors.h"
#include "device/attention_on.h"
#include "device/gpu.h"
#include "trainer/models/blocks/activation.h"
#include "trainer/models/blocks/add_norm.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/model_fixtures.h"

namespace sft {
namespace {

using testing::all_rows;
using testing::Asked;
using testing::attend_on;
using testing::AttentionCase;
using testing::distance;
using testing::drawn;
using testing::first_rows;
using testing::last_rows;
using testing::other_keys;
using testing::some_rows;

class DeviceBlocks : public testing::OnGpu {
 protected:
  at::Tensor leaf(at::IntArrayRef shape, uint64_t seed, const c10::Device& where) const {
    return drawn(shape, seed).to(where).detach().set_requires_grad(true);
  }
};

TEST_F(DeviceBlocks, DropTheSameElementsAsTheCpu) {
  for (const int64_t width : {1, 20, 127, 384, 768, 1023, 4096}) {
    const at::Tensor x = drawn({37, width}, 1);
    const at::Tensor draws = at::arange(37).mul((int64_t{1} << 33) + 5), positions = at::arange(37).remainder(7);
    const DropoutKey key = dropout_key(3, "here", 2);
    const at::Tensor here = keyed_dropout(x, key, draws, positions, 0.3);
    const at::Tensor there = keyed_dropout(x.to(device), key, draws.to(device), positions.to(device), 0.3);
    EXPECT_TRUE(there.cpu().equal(here)) << width;
  }
}

TEST_F(DeviceBlocks, AddNormAndItsGradientsEqualTheCpus) {
  for (const int64_t width : {3, 20, 384, 768, 1000, 4096}) {
    for (const double p : {0.0, 0.2}) {
      std::vector<std::vector<at::Tensor>> results;
      for (const c10::Device& where : {c10::Device(c10::kCPU), device}) {
        const at::Tensor x = leaf({301, width}, 1, where), residual = leaf({301, width}, 2, where),
                         bias = leaf({width}, 3, where), gamma = leaf({width}, 4, where),
                         beta = leaf({width}, 5, where);
        const at::Tensor draws = at::arange(301, where), positions = at::arange(301, where).remainder(12);
        const at::Tensor y =
            add_norm(x, bias, residual, {gamma, beta, 1e-5}, {dropout_key(9, "norm"), p}, draws, positions);
        (y * drawn({301, width}, 6).to(where)).sum().backward();
        results.push_back({y.detach(), x.grad(), residual.grad(), bias.grad(), gamma.grad(), beta.grad()});
      }
      for (size_t i = 0; i < results[0].size(); ++i)
        EXPECT_LT(distance(results[1][i].cpu(), results[0][i]), 1e-11) << width << " " << p << " " << i;
    }
  }
}

// Every mask over all rows, the first, the last and some of each sequence, and over keys of others.
void compare_attention(const c10::Device& device, const std::vector<int64_t>& lengths,
                       const std::vector<int64_t>& keys_of_others) {
  const std::vector<Asked> asked{all_rows(lengths), first_rows(lengths), last_rows(lengths), some_rows(lengths),
                                 other_keys(lengths, keys_of_others)};
  for (size_t rows = 0; rows < asked.size(); ++rows)
    for (const bool causal : {false, true})
      for (const int64_t window : {0, 30})
        for (const int64_t key_heads : {3, 1})
          for (const double p : {0.0, 0.2}) {
            if (rows == 4 && (causal || window > 0)) continue;
            AttentionCase with(asked[rows], {.heads = 3, .key_heads = key_heads, .width = 20, .p = p});
            with.attention.causal = causal;
            with.attention.window = window;
            const auto there = attend_on(device, at::kDouble, with), here = attend_on(at::kCPU, at::kDouble, with);
            for (size_t i = 0; i < here.size(); ++i)
              EXPECT_LT(distance(there[i], here[i]), 1e-12)
                  << rows << " " << causal << " " << window << " " << key_heads << " " << p << " " << i;
          }
}

// Lengths that make several groups, and rows that fill none of their steps.
TEST_F(DeviceBlocks, AttentionAndItsGradientsEqualTheCpus) {
  const std::vector<int64_t> lengths{600, 8, 300, 299, 150, 20, 1, 77, 140};
  std::vector<int64_t> order;
  ASSERT_GT(group_sequences(all_rows(lengths).keys, all_rows(lengths).keys, order).size(), 1U);
  compare_attention(device, lengths, {7, 0, 90, 300, 1, 20, 33, 5, 64});
}

TEST_F(DeviceBlocks, AttentionOfShortRowsEqualsTheCpus) {
  compare_attention(device, {40, 8, 1, 33, 20}, {7, 0, 35, 1, 20});
}

TEST_F(DeviceBlocks, RefusesABiasOfPlacesByName) {
  AttentionCase with(all_rows({5, 3}), {.heads = 2, .key_heads = 2});
  with.add_bias(5, 5);
  with.attention.bias = with.attention.bias.to(device);
  EXPECT_THROW(attend_on(device, at::kDouble, with), DeviceError);
}

TEST_F(DeviceBlocks, ActivationsAndTheirGradientsEqualTheCpus) {
  for (const Activation activation :
       {Activation::gelu, Activation::gelu_tanh, Activation::relu, Activation::quick_gelu}) {
    std::vector<std::vector<at::Tensor>> results;
    for (const c10::Device& where : {c10::Device(c10::kCPU), device}) {
      const at::Tensor x = leaf({70, 1536}, 1, where), bias = leaf({1536}, 2, where);
      const at::Tensor y = activate(activation, x, bias);
      (y * drawn({70, 1536}, 3).to(where)).sum().backward();
      results.push_back({y.detach(), x.grad(), bias.grad()});
    }
    for (size_t i = 0; i < results[0].size(); ++i)
      EXPECT_LT(distance(results[1][i].cpu(), results[0][i]), 1e-12) << static_cast<int>(activation) << " " << i;
  }
}

}  // namespace
}  // namespace sft
