// Weights as kernels read them: ahead of time, and widened to float32 in registers where they have 16 bits
// (few_rows_kernels.h).
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "trainer/models/blocks/few_rows_kernels.h"
#include "trainer/models/blocks/lanes.h"

namespace sft {

// What a half's exponent lacks, 2^(127 − 15): a product by it is exact, and right for halves below the normal ones too.
constexpr float kHalfScale = 0x1p112F;

inline float widened(float value) { return value; }
inline float widened(BrainFloat value) { return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16); }
// Of numbers: infinities become 2^16, which no weight is, as whoever reads weights looks for them.
inline float widened(HalfFloat value) {
  const auto bits = static_cast<uint32_t>(value.bits);
  const float size = std::bit_cast<float>((bits & 0x7fffU) << 13) * kHalfScale;
  return bits & 0x8000U ? -size : size;
}

// Brings a line of weights that will be read next. Behind their end nothing happens.
template <class W>
[[gnu::always_inline]] inline void fetch(const W* at) {
  __builtin_prefetch(at, 0, 2);
}

// The 16 bits of each lane, with zeros above.
template <int Bytes>
[[gnu::always_inline]] inline typename Lanes<float, Bytes>::Integers load_bits(const void* at) {
  using Of = Lanes<float, Bytes>;
  typename Of::Bits halves;
  std::memcpy(&halves, at, sizeof halves);
  return __builtin_convertvector(halves, typename Of::Integers);
}

template <int Bytes>
[[gnu::always_inline]] inline void load_wide(const float* at, typename Lanes<float, Bytes>::Vector& wide) {
  wide = load<Bytes>(at);
}
template <int Bytes>
[[gnu::always_inline]] inline void load_wide(const BrainFloat* at, typename Lanes<float, Bytes>::Vector& wide) {
  wide = reinterpret_cast<typename Lanes<float, Bytes>::Vector>(load_bits<Bytes>(at) << 16);
}
template <int Bytes>
[[gnu::always_inline]] inline void load_wide(const HalfFloat* at, typename Lanes<float, Bytes>::Vector& wide) {
  using Vector = typename Lanes<float, Bytes>::Vector;
  using Integers = typename Lanes<float, Bytes>::Integers;
  const Integers bits = load_bits<Bytes>(at);
  const Vector size = reinterpret_cast<Vector>((bits & 0x7fff) << 13) * kHalfScale;
  wide = reinterpret_cast<Vector>(reinterpret_cast<Integers>(size) | ((bits & 0x8000) << 16));
}

}  // namespace sft
