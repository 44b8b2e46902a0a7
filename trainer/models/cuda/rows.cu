// A block of threads has one row at a time, a thread the eight channels of one Philox block.
#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
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

// The thread's channels of a row.
template <class Body>
__device__ void each_channel(int64_t width, Body&& body) {
#pragma unroll
  for (int i = 0; i < kPerBlock; ++i) {
    const int64_t c = element_of(threadIdx.x, i);
    if (c < width) body(i, c);
  }
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

// The sum of every thread's value, on all threads.
template <class A>
__device__ A sum_over_block(A value) {
  __shared__ A of_warp[32];
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, step);
  const int warps = blockDim.x / 32;
  __syncthreads();  // the sums of the call before have been read
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
  __syncthreads();
  A total = 0;
  for (int w = 0; w < warps; ++w) total += of_warp[w];
  return total;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads) drop(DeviceDropRows work) {
  using A = Wide<T>;
  const int64_t width = work.rows.width;
  for (int64_t row = blockIdx.x; row < work.rows.num_rows; row += gridDim.x) {
    const Mask<A> mask(work.dropout, row);
    const T* x = static_cast<const T*>(work.x) + row * width;
    T* y = static_cast<T*>(work.y) + row * width;
    each_channel(width, [&](int i, int64_t c) { y[c] = narrow<T>(widen(x[c]) * mask.factor[i]); });
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads) normalise(DeviceAddNorm work) {
  using A = Wide<T>;
  const int64_t width = work.rows.width;
  const A *bias = static_cast<const A*>(work.bias), *gamma = static_cast<const A*>(work.gamma),
          *beta = static_cast<const A*>(work.beta);
  for (int64_t row = blockIdx.x; row < work.rows.num_rows; row += gridDim.x) {
    const Mask<A> mask(work.dropout, row);
    const T *x = static_cast<const T*>(work.x) + row * width,
            *residual = static_cast<const T*>(work.residual) + row * width;
    T *sum = static_cast<T*>(work.sum) + row * width, *y = static_cast<T*>(work.y) + row * width;
    A value[kPerBlock] = {}, total = 0, squares = 0;
    each_channel(width, [&](int i, int64_t c) {
      sum[c] = narrow<T>((widen(x[c]) + bias[c]) * mask.factor[i] + widen(residual[c]));
      value[i] = widen(sum[c]);  // as the way back will read it
      total += value[i];
    });
    const A mean = sum_over_block(total) / A(width);
    each_channel(width, [&](int i, int64_t) { squares += (value[i] - mean) * (value[i] - mean); });
    const A rstd = A(1) / sqrt(sum_over_block(squares) / A(width) + A(work.eps));
    each_channel(width, [&](int i, int64_t c) { y[c] = narrow<T>((value[i] - mean) * rstd * gamma[c] + beta[c]); });
    if (threadIdx.x == 0) {
      static_cast<A*>(work.mean)[row] = mean;
      static_cast<A*>(work.rstd)[row] = rstd;
    }
  }
}

// One block for each partial sum; those without rows write zeros.
template <class T>
__global__ void __launch_bounds__(kMostThreads) normalise_backward(DeviceAddNormBackward work) {
  using A = Wide<T>;
  const int64_t width = work.rows.width;
  const A *gamma = static_cast<const A*>(work.gamma), *means = static_cast<const A*>(work.mean),
          *rstds = static_cast<const A*>(work.rstd);
  A d_gamma[kPerBlock] = {}, d_beta[kPerBlock] = {}, d_bias[kPerBlock] = {};
  for (int64_t row = blockIdx.x; row < work.rows.num_rows; row += gridDim.x) {
    const Mask<A> mask(work.dropout, row);
    const T *dy = static_cast<const T*>(work.dy) + row * width, *sum = static_cast<const T*>(work.sum) + row * width;
    T* d_residual = static_cast<T*>(work.d_residual) + row * width;
    T* dx = work.dx ? static_cast<T*>(work.dx) + row * width : nullptr;
    const A mean = means[row], rstd = rstds[row];
    A given[kPerBlock] = {}, normal[kPerBlock] = {}, first = 0, second = 0;
    each_channel(width, [&](int i, int64_t c) {
      const A dy_c = widen(dy[c]);
      normal[i] = (widen(sum[c]) - mean) * rstd;
      given[i] = dy_c * gamma[c];
      d_gamma[i] += dy_c * normal[i];
      d_beta[i] += dy_c;
      first += given[i];
      second += given[i] * normal[i];
    });
    first = sum_over_block(first) / A(width);
    second = sum_over_block(second) / A(width);
    each_channel(width, [&](int i, int64_t c) {
      const A d_sum = rstd * (given[i] - first - normal[i] * second);
      const A through = d_sum * mask.factor[i];
      d_residual[c] = narrow<T>(d_sum);
      if (dx) dx[c] = narrow<T>(through);
      d_bias[i] += through;
    });
  }
  A* partial = static_cast<A*>(work.partial) + static_cast<int64_t>(blockIdx.x) * 3 * width;
  each_channel(width, [&](int i, int64_t c) {
    partial[c] = d_gamma[i];
    partial[width + c] = d_beta[i];
    partial[2 * width + c] = d_bias[i];
  });
}

constexpr int kColumns = 32, kLanes = 16;

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
template <class T>
__global__ void gelu(DeviceBiasGelu work) {
  using A = Wide<T>;
  constexpr A kHalfRoot = A(0.70710678118654752440), kDensity = A(0.39894228040143267794);
  const int64_t width = work.rows.width;
  const A* bias = static_cast<const A*>(work.bias);
  for (int64_t row = blockIdx.x; row < work.rows.num_rows; row += gridDim.x) {
    const T* x = static_cast<const T*>(work.x) + row * width;
    const T* dy = work.dy ? static_cast<const T*>(work.dy) + row * width : nullptr;
    T* y = static_cast<T*>(work.y) + row * width;
    for (int64_t c = threadIdx.x; c < width; c += blockDim.x) {
      const A v = widen(x[c]) + bias[c], below = A(0.5) * (A(1) + erf(v * kHalfRoot));
      y[c] = narrow<T>(dy ? widen(dy[c]) * (below + v * kDensity * exp(A(-0.5) * v * v)) : v * below);
    }
  }
}

}  // namespace

void drop_rows(const DeviceDropRows& work) {
  if (work.rows.num_rows == 0) return;
  const Launch launch(work.rows.device);
  with_type(work.rows.type, [&](auto zero) {
    drop<decltype(zero)><<<blocks_of(work.rows), threads_of(work.rows), 0, launch.stream()>>>(work);
  });
  launch.check("dropout");
}

void add_norm(const DeviceAddNorm& work) {
  if (work.rows.num_rows == 0) return;
  const Launch launch(work.rows.device);
  with_type(work.rows.type, [&](auto zero) {
    normalise<decltype(zero)><<<blocks_of(work.rows), threads_of(work.rows), 0, launch.stream()>>>(work);
  });
  launch.check("add_norm");
}

void add_norm_backward(const DeviceAddNormBackward& work) {
  const Launch launch(work.rows.device);
  with_type(work.rows.type, [&](auto zero) {
    normalise_backward<decltype(zero)>
        <<<static_cast<int>(kPartialSums), threads_of(work.rows), 0, launch.stream()>>>(work);
    const int blocks = static_cast<int>((3 * work.rows.width + kColumns - 1) / kColumns);
    add_parts<Wide<decltype(zero)>><<<blocks, dim3(kColumns, kLanes), 0, launch.stream()>>>(work);
  });
  launch.check("add_norm_backward");
}

void bias_gelu(const DeviceBiasGelu& work) {
  constexpr int kThreads = 256;
  if (work.rows.num_rows == 0) return;
  const Launch launch(work.rows.device);
  with_type(work.rows.type,
            [&](auto zero) { gelu<decltype(zero)><<<blocks_of(work.rows), kThreads, 0, launch.stream()>>>(work); });
  launch.check("bias_gelu");
}

}  // namespace sft::cuda
