// Vectors of 64 bytes, lowered by the compiler to whatever the CPU has. Buffers are padded to whole vectors.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace sft {

template <class T>
struct Lanes {
  using Integer = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  static constexpr int kCount = 64 / sizeof(T);
  typedef T Vector __attribute__((vector_size(64)));
  typedef Integer Integers __attribute__((vector_size(64)));
  typedef uint16_t Bits __attribute__((vector_size(2 * kCount)));
};

template <class T>
constexpr int64_t padded(int64_t size) {
  return (size + Lanes<T>::kCount - 1) / Lanes<T>::kCount * Lanes<T>::kCount;
}

// A whole vector at any address.
template <class T>
struct Loose {
  typedef T Vector __attribute__((vector_size(64), aligned(alignof(T)), may_alias));
};
template <class T>
[[gnu::always_inline]] inline typename Loose<T>::Vector& lanes_at(T* at) {
  return *reinterpret_cast<typename Loose<T>::Vector*>(at);
}

// Zeroes the lanes whose 16 random bits say that the element falls.
template <class T>
[[gnu::always_inline]] inline void drop(const uint16_t* bits, uint32_t threshold, typename Lanes<T>::Vector& values) {
  using Integer = typename Lanes<T>::Integer;
  using Vector = typename Lanes<T>::Vector;
  typename Lanes<T>::Bits drawn;
  std::memcpy(&drawn, bits, sizeof drawn);
  values = __builtin_convertvector(drawn, typename Lanes<T>::Integers) >= static_cast<Integer>(threshold) ? values
                                                                                                          : Vector{};
}

// values = e^values for values ≤ 0, within 2 units in the last place: 2^n · e^r with |r| ≤ ln 2 / 2, Taylor to the
// seventh power. What is below e^−87 becomes that.
[[gnu::always_inline]] inline void exp_negative(Lanes<float>::Vector& values) {
  using Vector = Lanes<float>::Vector;
  using Integers = Lanes<float>::Integers;
  const Vector x = values > -87.0f ? values : Vector{} - 87.0f;
  const Integers n = __builtin_convertvector(x * 1.44269504f - 0.5f, Integers);
  const Vector r = x - __builtin_convertvector(n, Vector) * 0.693147181f;
  Vector sum = r * (1.0f / 5040) + 1.0f / 720;
  sum = sum * r + 1.0f / 120;
  sum = sum * r + 1.0f / 24;
  sum = sum * r + 1.0f / 6;
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  values = sum * reinterpret_cast<Vector>((n + 127) << 23);
}
[[gnu::always_inline]] inline void exp_negative(Lanes<double>::Vector& values) {
  for (int i = 0; i < Lanes<double>::kCount; ++i) values[i] = std::exp(values[i]);
}

}  // namespace sft
