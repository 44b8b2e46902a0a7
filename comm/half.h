// Conversions between f32 and the two 16-bit formats, without branches a compiler could not
// vectorise. Rounding is to nearest even; NaN stays NaN.
#pragma once

#include <bit>
#include <cstdint>

namespace sft {

struct BFloat16 {
  uint16_t bits;
};
struct Float16 {
  uint16_t bits;
};

inline float widen(BFloat16 value) { return std::bit_cast<float>(static_cast<uint32_t>(value.bits) << 16); }

inline void narrow(float value, BFloat16& into) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  into.bits = static_cast<uint16_t>(value != value ? 0x7fc0 : rounded);
}

// The exponent is rebased by a multiplication with 2^112, which also gives subnormals their value;
// infinities and NaN come out at 2^16 and above, and get the all-ones exponent.
inline float widen(Float16 value) {
  const uint32_t magnitude = static_cast<uint32_t>(value.bits & 0x7fff) << 13;
  const uint32_t sign = static_cast<uint32_t>(value.bits & 0x8000) << 16;
  const uint32_t scaled = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f);
  const uint32_t special = magnitude >= (0x7c00u << 13) ? 0x7f800000u : 0u;
  return std::bit_cast<float>(scaled | special | sign);
}

// Adding a power of two whose last place is the target's last place lets the adder round. For
// normal values that power follows the exponent; below 2^-14 it stays, which makes subnormals.
inline void narrow(float value, Float16& into) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7fffffff;
  const uint32_t subnormal =
      std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - std::bit_cast<uint32_t>(0.5f);
  const uint32_t normal = (magnitude - (112u << 23) + 0xfff + ((magnitude >> 13) & 1)) >> 13;
  uint32_t half = magnitude < (113u << 23) ? subnormal : normal;
  half = magnitude >= 0x477ff000u ? 0x7c00u : half;  // rounds to 2^16 or more: infinity
  half = magnitude > 0x7f800000u ? 0x7e00u : half;
  into.bits = static_cast<uint16_t>(half | ((bits >> 16) & 0x8000));
}

}  // namespace sft
