// A block of threads has one row at a time, a thread the eight channels of one Philox block.
#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/cuda/chunks.cuh"
#include "trainer/models/cuda/kernels.h"
#include "trainer/models/cuda/launch.cuh"
#include "trainer/models/cuda/philox.cuh"
#include "trainer/models/cuda/reals.cuh"
#include "trainer/models/cuda/sums.cuh"

namespace sft::cuda {
namespace {

constexpr int64_t kMostBlocks = 2112;
constexpr int kMostThreads = 512;

// Threads that cover a row, in whole warps.
unsigned threads_of(const DeviceRows& rows) {
  const int64_t threads = (bits_groups(rows.width) * kBlocksAGroup + 31) / 32 * 32;
  if (threads > kMostThreads)
    throw DeviceError(concat("rows of ", rows.width, " channels are wider than the GPU kernels take (",
                             kMostThreads * kPerBlock, ")"));
  return static_cast<unsigned>(threads);
}

unsigned most_blocks(const DeviceRows& rows) { return static_cast<unsigned>(std::min(rows.num_rows, kMostBlocks)); }
Blocks blocks_of(const DeviceRows& rows) { return {most_blocks(rows), threads_of(rows)}; }

// The thread's channels of a row: its i-th of 0 … kPerBlock − 1 is channel c.
template <class Body>
__device__ void each_channel(int64_t width, Body&& body) {
#pragma unroll
  for (int i = 0; i < kPerBlock; ++i) {
    const int64_t c = element_of(threadIdx.x, i);
    if (c < width) body(i, c);
  }
}

// The thread's channels of a row, read or written N at a time, which is 1 or 2: neighbours in element_of too.
template <int N, class T>
__device__ void read_row(const T* row, int64_t width, Wide<T> (&value)[kPerBlock]) {
#pragma unroll
  for (int i = 0; i < kPerBlock; i += N)
    if (const int64_t c = element_of(threadIdx.x, i); c < width) read<N>(row + c, value + i);
}
template <int N, class T>
__device__ void write_row(const Wide<T> (&value)[kPerBlock], T* row, int64_t width) {
#pragma unroll
  for (int i = 0; i < kPerBlock; i += N)
    if (const int64_t c = element_of(threadIdx.x, i); c < width) write<N>(value + i, row + c);
}

// What each of the thread's channels of a row is multiplied by.
template <class A>
struct Mask {
  A factor[kPerBlock];

  __device__ Mask(const RowDropout& dropout, int64_t row) {
    if (dropout.rate.threshold == 0) {
      for (A& value : factor) value = A(1);
      return;
    }
    const PhiloxWords words(dropout.key, threadIdx.x, dropout.positions[row], dropout.draws[row]);
#pragma unroll
    for (int i = 0; i < kPerBlock; ++i)
      factor[i] = words.keeps(i, dropout.rate.threshold) ? A(dropout.rate.scale) : A(0);
  }
};

template <class T, int N>
__global__ void __launch_bounds__(kMostThreads) drop(DeviceDropRows work) {
  using A = Wide<T>;
  const int64_t width = work.rows.width;
  for (int64_t row = blockIdx.x; row < work.rows.num_rows; row += gridDim.x) {
    const Mask<A> mask(work.dropout, row);
    A value[kPerBlock] = {};
    read_row<N>(static_cast<const T*>(work.x) + row * width, width, value);
#pragma unroll
    for (int i = 0; i < kPerBlock; ++i) value[i] *= mask.factor[i];
    write_row<N>(value, static_cast<T*>(work.y) + row * width, width);
  }
}

template <class T, int N>
__global__ void __launch_bounds__(kMostThreads) normalise(DeviceAddNorm work) {
  using A = Wide<T>;
  const int64_t width = work.rows.width;
  const A *bias = static_cast<const A*>(work.bias), *gamma = static_cast<const A*>(work.gamma),
          *beta = static_cast<const A*>(work.beta);
  for (int64_t row = blockIdx.x; row < work.rows.num_rows; row += gridDim.x) {
    const Mask<A> mask(work.dropout, row);
    A value[kPerBlock] = {}, residual[kPerBlock] = {}, total = 0, squares = 0;
    read_row<N>(static_cast<const T*>(work.x) + row * width, width, value);
    read_row<N>(static_cast<const T*>(work.residual) + row * width, width, residual);
    each_channel(width, [&](int i, int64_t c) {
      value[i] = widen(narrow<T>((value[i] + bias[c]) * mask.factor[i] + residual[i]));  // as the way back will read it
      total += value[i];
    });
    write_row<N>(value, static_cast<T*>(work.sum) + row * width, width);
    const A mean = sum_over_block(total) / A(width);
    each_channel(width, [&](int i, int64_t) { squares += (value[i] - mean) * (value[i] - mean); });
    const A rstd = A(1) / sqrt(sum_over_block(squares) / A(width) + A(work.eps));
    each_channel(width, [&](int i, int64_t c) { value[i] = (value[i] - mean) * rstd * gamma[c] + beta[c]; });
    write_row<N>(value, static_cast<T*>(work.y) + row * width, width);
    if (threadIdx.x == 0) {
      static_cast<A*>(work.mean)[row] = mean;
      static_cast<A*>(work.rstd)[row] = rstd;
    }
  }
}

// One block for each partial sum; those without rows write zeros.
template <class T, int N>
__global__ void __launch_bounds__(kMostThreads) normalise_backward(DeviceAddNormBackward work) {
  using A = Wide<T>;
  const int64_t width = work.rows.width;
  const A *gamma = static_cast<const A*>(work.gamma), *means = static_cast<const A*>(work.mean),
          *rstds = static_cast<const A*>(work.rstd);
  A d_gamma[kPerBlock] = {}, d_beta[kPerBlock] = {}, d_bias[kPerBlock] = {};
  for (int64_t row = blockIdx.x; row < work.rows.num_rows; row += gridDim.x) {
    const Mask<A> mask(work.dropout, row);
    const A mean = means[row], rstd = rstds[row];
    A dy[kPerBlock] = {}, normal[kPerBlock] = {}, sums[2] = {};
    read_row<N>(static_cast<const T*>(work.dy) + row * width, width, dy);
    read_row<N>(static_cast<const T*>(work.sum) + row * width, width, normal);
    each_channel(width, [&](int i, int64_t c) {
      normal[i] = (normal[i] - mean) * rstd;
      d_gamma[i] += dy[i] * normal[i];
      d_beta[i] += dy[i];
      dy[i] *= gamma[c];
      sums[0] += dy[i];
      sums[1] += dy[i] * normal[i];
    });
    sum_over_block(sums);
    const A first = sums[0] / A(width), second = sums[1] / A(width);
    A d_sum[kPerBlock], through[kPerBlock];
#pragma unroll
    for (int i = 0; i < kPerBlock; ++i) {
      d_sum[i] = rstd * (dy[i] - first - normal[i] * second);
      through[i] = d_sum[i] * mask.factor[i];
      d_bias[i] += through[i];
    }
    write_row<N>(d_sum, static_cast<T*>(work.d_residual) + row * width, width);
    if (work.dx) write_row<N>(through, static_cast<T*>(work.dx) + row * width, width);
  }
  A* partial = static_cast<A*>(work.partial) + static_cast<int64_t>(blockIdx.x) * 3 * width;
  each_channel(width, [&](int i, int64_t c) {
    partial[c] = d_gamma[i];
    partial[width + c] = d_beta[i];
    partial[2 * width + c] = d_bias[i];
  });
}

template <class A>
__global__ void add_parts(DeviceAddNormBackward work) {
  const int64_t width = work.rows.width;
  A total;
  const int64_t place = sum_of_parts(static_cast<const A*>(work.partial), 3 * width, total);
  if (place < 0) return;
  if (A* const into = static_cast<A*>(work.d_vectors[place / width])) into[place % width] += total;
}

// gelu(v) = v Φ(v);  gelu'(v) = Φ(v) + v φ(v)
template <class T, int N>
__global__ void gelu(DeviceBiasGelu work) {
  using A = Wide<T>;
  constexpr A kHalfRoot = A(0.70710678118654752440), kDensity = A(0.39894228040143267794);
  const int64_t width = work.rows.width;
  const A* bias = static_cast<const A*>(work.bias);
  for (int64_t row = blockIdx.x; row < work.rows.num_rows; row += gridDim.x) {
    for (int64_t c = threadIdx.x * N; c < width; c += blockDim.x * N) {
      const int64_t at = row * width + c;
      A v[N], dy[N];
      read<N>(static_cast<const T*>(work.x) + at, v);
      if (work.dy) read<N>(static_cast<const T*>(work.dy) + at, dy);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        v[i] += bias[c + i];
        const A below = A(0.5) * (A(1) + erf(v[i] * kHalfRoot));
        v[i] = work.dy ? dy[i] * (below + v[i] * kDensity * exp(A(-0.5) * v[i] * v[i])) : v[i] * below;
      }
      write<N>(v, static_cast<T*>(work.y) + at);
    }
  }
}

// Calls `body` with a value of the rows' type and the Size that its kernels read by.
template <class Body>
void with_rows(const DeviceRows& rows, Body&& body) {
  with_type(rows.type, [&](auto zero) { with_pairs(rows.width, [&](auto size) { body(zero, size); }); });
}

}  // namespace

void drop_rows(const DeviceDropRows& work) {
  if (work.rows.num_rows == 0) return;
  const Launch launch(work.rows.device);
  with_rows(work.rows, [&](auto zero, auto size) {
    run(launch, drop<decltype(zero), size.value>, blocks_of(work.rows), work);
  });
  launch.check("dropout");
}

void add_norm(const DeviceAddNorm& work) {
  if (work.rows.num_rows == 0) return;
  const Launch launch(work.rows.device);
  with_rows(work.rows, [&](auto zero, auto size) {
    run(launch, normalise<decltype(zero), size.value>, blocks_of(work.rows), work);
  });
  launch.check("add_norm");
}

void add_norm_backward(const DeviceAddNormBackward& work) {
  const Launch launch(work.rows.device);
  with_rows(work.rows, [&](auto zero, auto size) {
    run(launch, normalise_backward<decltype(zero), size.value>, {kPartialSums, threads_of(work.rows)}, work);
    run(launch, add_parts<Wide<decltype(zero)>>, blocks_of_parts(3 * work.rows.width), work);
  });
  launch.check("add_norm_backward");
}

void bias_gelu(const DeviceBiasGelu& work) {
  constexpr int kThreads = 128;
  if (work.rows.num_rows == 0) return;
  const Launch launch(work.rows.device);
  with_type(work.rows.type, [&](auto zero) {
    with_chunks<decltype(zero)>(work.rows.width, [&](auto size) {
      run(launch, gelu<decltype(zero), size.value>, {most_blocks(work.rows), kThreads}, work);
    });
  });
  launch.check("bias_gelu");
}

}  // namespace sft::cuda
