// Random bits for dropout, 128 elements at a time: sixteen Philox4x32-10 blocks (Salmon et al., SC 2011) side by
// side, eight elements of 16 bits a block.
//
//   counter  = { block of the element, token position (query), draw low, draw high }
//   key      = DropoutKey::words
//   element e of a group of 128 takes half e % 2 of word e / 32 of block e % 32 / 2: the order in which the
//   lanes leave their registers.
//
// A row of channels has blocks 0, 1, 2, …; attention adds head << 20, so that keys of 2^20 groups fit a head.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "trainer/models/blocks/dropout_key.h"

namespace sft {

inline constexpr int64_t kBitsGroup = 128;
inline constexpr int64_t kBlocksAGroup = 16;

inline int64_t bits_size(int64_t elements) { return (elements + kBitsGroup - 1) / kBitsGroup * kBitsGroup; }

// An element falls when its 16 bits are below `threshold`; what is kept is scaled by the inverse of the kept share.
struct DropRate {
  explicit DropRate(double p)
      : threshold(static_cast<uint32_t>(std::lround(p * 65536.0))), scale(65536.0 / (65536.0 - threshold)) {}
  uint32_t threshold;
  double scale;
  bool drops() const { return threshold > 0; }
};

// Which row of which mask: the draw of its sequence and its place there.
struct BitsRow {
  int64_t draw = 0;
  int64_t position = 0;
  int64_t head = 0;
};

// Eight Philox counters, one word of each to a lane of 64 bits, so that a product of two words keeps its high half.
struct PhiloxLanes {
  using Lanes = uint64_t __attribute__((vector_size(64)));
  Lanes word0, word1, word2, word3;

  [[gnu::always_inline]] void round(uint32_t key0, uint32_t key1) {
    const Lanes product0 = word0 * 0xD2511F53u, product1 = word2 * 0xCD9E8D57u;
    word0 = (product1 >> 32) ^ word1 ^ key0;
    word2 = (product0 >> 32) ^ word3 ^ key1;
    word1 = product1 & 0xFFFFFFFFu;
    word3 = product0 & 0xFFFFFFFFu;
  }
};

// Writes bits_size(elements) values: even and odd blocks in separate registers, woven together at the end.
[[gnu::always_inline]] inline void draw_bits(const DropoutKey& key, const BitsRow& row, int64_t elements,
                                             uint16_t* bits) {
  using Lanes = PhiloxLanes::Lanes;
  const uint64_t position = static_cast<uint32_t>(row.position);
  const uint64_t draw_low = static_cast<uint32_t>(row.draw), draw_high = static_cast<uint64_t>(row.draw) >> 32;
  for (int64_t start = 0; start < elements; start += kBitsGroup) {
    const uint64_t block = static_cast<uint64_t>((row.head << 20) + start / kBitsGroup * kBlocksAGroup);
    PhiloxLanes even{Lanes{0, 2, 4, 6, 8, 10, 12, 14} + block, Lanes{} + position, Lanes{} + draw_low,
                     Lanes{} + draw_high};
    PhiloxLanes odd{even.word0 + 1, even.word1, even.word2, even.word3};
    uint32_t key0 = key.words[0], key1 = key.words[1];
    for (int round = 0; round < 10; ++round) {
      even.round(key0, key1);
      odd.round(key0, key1);
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    const Lanes woven[4] = {even.word0 | (odd.word0 << 32), even.word1 | (odd.word1 << 32),
                            even.word2 | (odd.word2 << 32), even.word3 | (odd.word3 << 32)};
    std::memcpy(bits + start, woven, sizeof woven);
  }
}

}  // namespace sft
