// Neighbouring elements that one instruction reads or writes: memory answers a warp at full speed only where each
// thread asks for 4 to 16 bytes.
#pragma once

#include <cstdint>

#include "trainer/models/cuda/reals.cuh"

namespace sft::cuda {

template <class T, int N>
struct alignas(sizeof(T) * N) Chunk {
  T at[N];
};

// N elements at `from`, which is aligned to all of them, in the wide type.
template <int N, class T>
__device__ void read(const T* from, Wide<T>* into) {
  const auto chunk = *reinterpret_cast<const Chunk<T, N>*>(from);
#pragma unroll
  for (int i = 0; i < N; ++i) into[i] = widen(chunk.at[i]);
}

template <int N, class T>
__device__ void write(const Wide<T>* from, T* into) {
  Chunk<T, N> chunk;
#pragma unroll
  for (int i = 0; i < N; ++i) chunk.at[i] = narrow<T>(from[i]);
  *reinterpret_cast<Chunk<T, N>*>(into) = chunk;
}

template <int N>
struct Size {
  static constexpr int value = N;
};

// Calls `body` with a Size: 2 where rows are of pairs, else 1.
template <class Body>
void with_pairs(int64_t width, Body&& body) {
  width % 2 == 0 ? body(Size<2>{}) : body(Size<1>{});
}

// Calls `body` with the Size of 16 bytes where rows are of such chunks, else with 1.
template <class T, class Body>
void with_chunks(int64_t width, Body&& body) {
  constexpr int kMost = 16 / sizeof(T);
  width % kMost == 0 ? body(Size<kMost>{}) : body(Size<1>{});
}

}  // namespace sft::cuda
