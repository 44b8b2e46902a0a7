#include "trainer/models/keep_mask.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>

#include "trainer/models/blocks/keep_bits.h"

namespace sft::testing {
namespace {

constexpr int64_t kLow = 0xFFFFFFFF;

// Words are held in int64. A product wraps like an unsigned one, and the mask clears what the shift drags in.
at::Tensor high(const at::Tensor& product) { return product.bitwise_right_shift(32) & kLow; }
at::Tensor low(const at::Tensor& product) { return product & kLow; }

}  // namespace

at::Tensor keep_mask(const Dropout& dropout, const at::Tensor& draws, const at::Tensor& rows, int64_t elements,
                     at::ScalarType dtype) {
  const DropRate rate(dropout.p);
  const int64_t count = draws.size(0), groups = bits_groups(elements);
  at::Tensor word0 = at::arange(groups * kBlocksAGroup, draws.options()).view({1, -1}).expand({count, -1});
  at::Tensor word1 = low(rows).view({-1, 1}), word2 = low(draws).view({-1, 1}), word3 = high(draws).view({-1, 1});
  uint32_t key0 = dropout.key.words[0], key1 = dropout.key.words[1];
  for (int round = 0; round < 10; ++round) {
    const at::Tensor product0 = word0 * int64_t{0xD2511F53}, product1 = word2 * int64_t{0xCD9E8D57};
    word0 = high(product1).bitwise_xor(word1).bitwise_xor(int64_t{key0});
    word2 = high(product0).bitwise_xor(word3).bitwise_xor(int64_t{key1});
    word1 = low(product1);
    word3 = low(product0);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  const auto by_group = [&](const at::Tensor& word) { return word.reshape({count, groups, kBlocksAGroup}); };
  const at::Tensor words = at::stack({by_group(word0), by_group(word1), by_group(word2), by_group(word3)}, 2);
  const at::Tensor bits =
      at::stack({words & 0xFFFF, words.bitwise_right_shift(16)}, -1).view({count, -1}).narrow(1, 0, elements);
  return bits.ge(static_cast<int64_t>(rate.threshold)).to(dtype) * rate.scale;
}

}  // namespace sft::testing
