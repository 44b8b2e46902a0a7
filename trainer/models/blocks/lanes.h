// Vectors of as many bytes as a version of a kernel works on (multiversion.h).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace sft {

template <class T, int Bytes>
struct Lanes {
  using Integer = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  static constexpr int kCount = Bytes / static_cast<int>(sizeof(T));
  typedef T Vector __attribute__((vector_size(Bytes)));
  typedef Integer Integers __attribute__((vector_size(Bytes)));
  typedef uint16_t Bits __attribute__((vector_size(2 * kCount)));
};

// The most lanes of any version: buffers of this padding serve all.
template <class T>
constexpr int64_t kMostLanes = 64 / static_cast<int64_t>(sizeof(T));

template <class T, int Bytes>
constexpr int64_t padded(int64_t size) {
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  return (size + kCount - 1) / kCount * kCount;
}

// A whole vector at any address. By a packed struct, as the compilers' own headers do it: clang forgets a lower
// alignment of a type that depends on a template's argument, and GCC takes a memcpy apart.
template <class T, int Bytes>
struct [[gnu::packed, gnu::may_alias]] Loose {
  typename Lanes<T, Bytes>::Vector lanes;
};
template <int Bytes, class T>
[[gnu::always_inline]] inline typename Lanes<T, Bytes>::Vector load(const T* at) {
  return reinterpret_cast<const Loose<T, Bytes>*>(at)->lanes;
}
template <int Bytes, class T>
[[gnu::always_inline]] inline void store(T* at, const typename Lanes<T, Bytes>::Vector& lanes) {
  reinterpret_cast<Loose<T, Bytes>*>(at)->lanes = lanes;
}

// Zeroes the lanes whose 16 random bits say that the element falls.
template <class T, int Bytes>
[[gnu::always_inline]] inline void drop(const uint16_t* bits, uint32_t threshold,
                                        typename Lanes<T, Bytes>::Vector& values) {
  using Of = Lanes<T, Bytes>;
  typename Of::Bits drawn;
  std::memcpy(&drawn, bits, sizeof drawn);
  values = __builtin_convertvector(drawn, typename Of::Integers) >= static_cast<typename Of::Integer>(threshold)
               ? values
               : typename Of::Vector{};
}

// values = e^values for values ≤ 0; in float within 2 units in the last place: 2^n · e^r with |r| ≤ ln 2 / 2, Taylor to
// the seventh power. What is below e^−87 becomes that.
template <class T, int Bytes>
[[gnu::always_inline]] inline void exp_negative(typename Lanes<T, Bytes>::Vector& values) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  using Integers = typename Lanes<T, Bytes>::Integers;
  if constexpr (sizeof(T) == 4) {
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
  } else {
    for (int i = 0; i < Lanes<T, Bytes>::kCount; ++i) values[i] = std::exp(values[i]);
  }
}

}  // namespace sft
