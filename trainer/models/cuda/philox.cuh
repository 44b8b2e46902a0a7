// The random bits of keep_bits.h: a thread that draws one block decides eight elements.
#pragma once

#include <cstdint>

#include "trainer/models/blocks/drop_rate.h"

namespace sft::cuda {

inline constexpr int kPerBlock = 8;  // elements of one Philox block

// Philox4x32-10 (Salmon et al., SC 2011) of the counter {block, row, draw low, draw high}.
struct PhiloxWords {
  uint32_t word[4];

  __device__ PhiloxWords(const DropoutKey& key, uint32_t block, int64_t row, int64_t draw)
      : word{block, static_cast<uint32_t>(row), static_cast<uint32_t>(draw),
             static_cast<uint32_t>(static_cast<uint64_t>(draw) >> 32)} {
    const auto* keys = reinterpret_cast<const uint32_t*>(&key.words);
    uint32_t key0 = keys[0], key1 = keys[1];
#pragma unroll
    for (int round = 0; round < 10; ++round) {
      const uint32_t high0 = __umulhi(word[0], 0xD2511F53u), low0 = word[0] * 0xD2511F53u;
      const uint32_t high1 = __umulhi(word[2], 0xCD9E8D57u), low1 = word[2] * 0xCD9E8D57u;
      word[0] = high1 ^ word[1] ^ key0;
      word[2] = high0 ^ word[3] ^ key1;
      word[1] = low1;
      word[3] = low0;
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
  }

  // i of 0 … 7, in the order of element_of.
  __device__ bool keeps(int i, uint32_t threshold) const {
    return (i % 2 == 0 ? word[i / 2] & 0xFFFFu : word[i / 2] >> 16) >= threshold;
  }
};

// Which element of the row the i-th of a block is.
__device__ inline int64_t element_of(int64_t block, int i) {
  return block / kBlocksAGroup * kBitsGroup + i / 2 * 32 + block % kBlocksAGroup * 2 + i % 2;
}

}  // namespace sft::cuda
