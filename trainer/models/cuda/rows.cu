// A block of threads has one row at a time, a thread the eight channels of one Philox block.
#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/cuda/chunks.cuh"
#include "trainer/models/cuda/kernels.h"
#include "trainer/models/cuda/launch.h"
#include "trainer/models/cuda/philox.cuh"
#include "trainer/models/cuda/reals.cuh"

namespace sft::cuda {
namespace {

constexpr int64_t kMostBlocks = 2112;
constexpr int kMostThreads = 512;

// Threads that cover a row, in whole warps.
int threads_of(const DeviceRows& rows) {
  const int64_t threads = (bits_groups(rows.width) * kBlocksAGroup + 31) / 32 * 32;
  if (threads > kMostThreads)
    throw DeviceError(concat("rows of ", rows.width, " channels are wider than the GPU kernels take (",
                             kMostThreads * kPerBlock, ")"));
  return static_cast<int>(threads);
}

int blocks_of(const DeviceRows& rows) { return static_cast<int>(std::min(rows.num_rows, kMostBlocks)); }

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

// The sums of every thread's values, on all threads.
template <class A, int K>
__device__ void sum_over_block(A (&values)[K]) {
  __shared__ A of_warp[32][K];
  const int warps = blockDim.x / 32;
  __syncthreads();  // the sums of the call before have been read
#pragma unroll
  for (A& value : values) {
    for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, step);
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32][&value - values] = value;
  }
  __syncthreads();
#pragma unroll
  for (int k = 0; k < K; ++k) {
    values[k] = 0;
    for (int w = 0; w < warps; ++w) values[k] += of_warp[w][k];
  }
}

template <class A>
__device__ A sum_over_block(A value) {
  A values[1] = {value};
  sum_over_block(values);
  return values[0];
}

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

constexpr int kColumns = 32, kLanes = 32;

// A column of threads shares the parts of a channel; the sum has one order.
template <class A>
__global__ void add_parts(DeviceAddNormBackward work) {
  __shared__ A of_lane[kLanes][kColumns];
  const int64_t width = work.rows.width, place = static_cast<int64_t>(blockIdx.x) * kColumns + threadIdx.x;
  A sum = 0;
  if (place < 3 * width)
    for (int64_t part = threadIdx.y; part < kPartialSums; part += kLanes)
      sum += static_cast<const A*>(work.partial)[part * 3 * width + place];
  of_lane[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y > 0 || place >= 3 * width) return;
  A total = 0;
  for (int lane = 0; lane < kLanes; ++lane) total += of_lane[lane][threadIdx.x];
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
    drop<decltype(zero), size.value><<<blocks_of(work.rows), threads_of(work.rows), 0, launch.stream()>>>(work);
  });
  launch.check("dropout");
}

void add_norm(const DeviceAddNorm& work) {
  if (work.rows.num_rows == 0) return;
  const Launch launch(work.rows.device);
  with_rows(work.rows, [&](auto zero, auto size) {
    normalise<decltype(zero), size.value><<<blocks_of(work.rows), threads_of(work.rows), 0, launch.stream()>>>(work);
  });
  launch.check("add_norm");
}

void add_norm_backward(const DeviceAddNormBackward& work) {
  const Launch launch(work.rows.device);
  with_rows(work.rows, [&](auto zero, auto size) {
    normalise_backward<decltype(zero), size.value>
        <<<static_cast<int>(kPartialSums), threads_of(work.rows), 0, launch.stream()>>>(work);
    const int blocks = static_cast<int>((3 * work.rows.width + kColumns - 1) / kColumns);
    add_parts<Wide<decltype(zero)>><<<blocks, dim3(kColumns, kLanes), 0, launch.stream()>>>(work);
  });
  launch.check("add_norm_backward");
}

void bias_gelu(const DeviceBiasGelu& work) {
  constexpr int kThreads = 128;
  if (work.rows.num_rows == 0) return;
  const Launch launch(work.rows.device);
  with_type(work.rows.type, [&](auto zero) {
    with_chunks<decltype(zero)>(work.rows.width, [&](auto size) {
      gelu<decltype(zero), size.value><<<blocks_of(work.rows), kThreads, 0, launch.stream()>>>(work);
    });
  });
  launch.check("bias_gelu");
}

}  // namespace sft::cuda
