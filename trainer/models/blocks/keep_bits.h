// Random bits for dropout, 128 elements at a time: sixteen Philox4x32-10 blocks (Salmon et al., SC 2011) side by
// side, eight elements of 16 bits a block.
//
//   counter  = { block of the element, row, draw low, draw high }
//   key      = DropoutKey::words
//   element e of a group of 128 takes half e % 2 of word e / 32 of block e % 32 / 2: the order in which the
//   lanes leave their registers.
//
// The row of a token's channels is its position. Attention's row is the head, whose elements are query · keys + key: a
// short sequence then shares a group among its queries.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstdint>
#include <cstring>

#include "trainer/models/blocks/drop_rate.h"

namespace sft {

// Which row of which mask.
struct BitsRow {
  int64_t draw = 0;
  int64_t row = 0;
};

// Words of 32 bits, each in a lane of 64, so that a product keeps its high half.
template <int Bytes>
struct Words {
  static constexpr int64_t kCount = Bytes / 8;
  typedef uint64_t Lanes __attribute__((vector_size(Bytes)));
};

// words · factor. Said by instruction, since compilers don't see that the high halves are zero and multiply three
// times.
#if defined(__x86_64__)
__attribute__((target("avx512f"))) inline void multiply(Words<64>::Lanes& words, uint32_t factor) {
  words = reinterpret_cast<Words<64>::Lanes>(
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(words), _mm512_set1_epi64(static_cast<int64_t>(factor))));
}
__attribute__((target("avx2"))) inline void multiply(Words<32>::Lanes& words, uint32_t factor) {
  words = reinterpret_cast<Words<32>::Lanes>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(words), _mm256_set1_epi64x(static_cast<int64_t>(factor))));
}
inline void multiply(Words<16>::Lanes& words, uint32_t factor) {
  words = reinterpret_cast<Words<16>::Lanes>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(words), _mm_set1_epi64x(static_cast<int64_t>(factor))));
}
#else
inline void multiply(Words<16>::Lanes& words, uint32_t factor) { words *= factor; }
#endif

// Counters side by side, one word of each to a lane.
template <int Bytes>
struct PhiloxLanes {
  typename Words<Bytes>::Lanes word0, word1, word2, word3;

  [[gnu::always_inline]] void round(uint32_t key0, uint32_t key1) {
    auto product0 = word0, product1 = word2;
    multiply(product0, 0xD2511F53u);
    multiply(product1, 0xCD9E8D57u);
    word0 = (product1 >> 32) ^ word1 ^ key0;
    word2 = (product0 >> 32) ^ word3 ^ key1;
    word1 = product1 & 0xFFFFFFFFu;
    word3 = product0 & 0xFFFFFFFFu;
  }
};

// The groups first … first + count of a row, 128 values each: even and odd blocks in separate registers, woven together
// at the end.
template <int Bytes>
inline void draw_bits(const DropoutKey& key, const BitsRow& row, int64_t first, int64_t count, uint16_t* bits) {
  using Lanes = typename Words<Bytes>::Lanes;
  constexpr int64_t kCount = Words<Bytes>::kCount;
  const uint64_t row_word = static_cast<uint32_t>(row.row);
  const uint64_t draw_low = static_cast<uint32_t>(row.draw), draw_high = static_cast<uint64_t>(row.draw) >> 32;
  Lanes twice{};
  for (int64_t i = 0; i < kCount; ++i) twice[i] = static_cast<uint64_t>(2 * i);

  const int64_t end = (first + count) * kBlocksAGroup;
  for (int64_t block = first * kBlocksAGroup; block < end; block += 2 * kCount) {
    PhiloxLanes<Bytes> even{twice + static_cast<uint64_t>(block), Lanes{} + row_word, Lanes{} + draw_low,
                            Lanes{} + draw_high};
    PhiloxLanes<Bytes> odd{even.word0 + 1, even.word1, even.word2, even.word3};
    uint32_t key0 = key.words[0], key1 = key.words[1];
    for (int round = 0; round < 10; ++round) {
      even.round(key0, key1);
      odd.round(key0, key1);
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    const Lanes woven[4] = {even.word0 | (odd.word0 << 32), even.word1 | (odd.word1 << 32),
                            even.word2 | (odd.word2 << 32), even.word3 | (odd.word3 << 32)};
    const int64_t place = block - first * kBlocksAGroup, lane = place % kBlocksAGroup;
    uint16_t* at = bits + (place - lane) * 8 + lane * 2;
    for (int64_t word = 0; word < 4; ++word) std::memcpy(at + word * 32, &woven[word], Bytes);
  }
}

}  // namespace sft
