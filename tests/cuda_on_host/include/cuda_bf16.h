// In the place of CUDA's header: what the kernels use of it, rounded to the nearest, ties to even.
#pragma once

#include <bit>
#include <cstdint>

class __nv_bfloat16 {
 public:
  __nv_bfloat16() = default;
  explicit __nv_bfloat16(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    bits_ = value != value ? uint16_t{0x7fff} : static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
  explicit operator float() const { return std::bit_cast<float>(uint32_t{bits_} << 16); }

 private:
  uint16_t bits_;
};

struct alignas(4) __nv_bfloat162 {
  __nv_bfloat16 x, y;
};

inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) { return {__nv_bfloat16(x), __nv_bfloat16(y)}; }
inline float2 __bfloat1622float2(__nv_bfloat162 both) {
  return {static_cast<float>(both.x), static_cast<float>(both.y)};
}
