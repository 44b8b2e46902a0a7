// How often dropout lets an element fall, and how random bits are laid over elements: what CPU and device kernels
// share. keep_bits.h says which bits an element gets.
#pragma once

#include <cmath>
#include <cstdint>

#include "trainer/models/blocks/dropout_key.h"

namespace sft {

inline constexpr int64_t kBitsGroup = 128;
inline constexpr int64_t kBlocksAGroup = 16;

inline int64_t bits_groups(int64_t elements) { return (elements + kBitsGroup - 1) / kBitsGroup; }
inline int64_t bits_size(int64_t elements) { return bits_groups(elements) * kBitsGroup; }

// An element falls when its 16 bits are below `threshold`; what is kept is scaled by the inverse of the kept share.
struct DropRate {
  explicit DropRate(double p)
      : threshold(static_cast<uint32_t>(std::lround(p * 65536.0))), scale(65536.0 / (65536.0 - threshold)) {}
  uint32_t threshold;
  double scale;
  bool drops() const { return threshold > 0; }
};

// The mask of rows of channels: none where rate drops nothing.
struct RowDropout {
  DropoutKey key;
  DropRate rate{0.0};
  const int64_t* draws = nullptr;      // [N]
  const int64_t* positions = nullptr;  // [N]
};

}  // namespace sft
