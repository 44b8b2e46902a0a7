// What decoders have between their products: the root mean square norm with its residual, rotary positions, and the
// activation of a gated MLP.
#include <algorithm>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/cuda/chunks.cuh"
#include "trainer/models/cuda/kernels.h"
#include "trainer/models/cuda/launch.cuh"
#include "trainer/models/cuda/reals.cuh"
#include "trainer/models/cuda/sums.cuh"

namespace sft::cuda {
namespace {

constexpr int kShare = 8;  // channels of a row that a thread has, one after the other
constexpr int kMostThreads = 1024, kThreads = 128;
constexpr int64_t kMostBlocks = 2112;

// Threads that cover a row, in whole warps.
unsigned threads_of(const DeviceRows& rows) {
  const int64_t threads = ((rows.width + kShare - 1) / kShare + 31) / 32 * 32;
  if (threads > kMostThreads)
    throw DeviceError(concat("rows of ", rows.width, " channels are wider than the GPU kernels take (",
                             kMostThreads * kShare, ")"));
  return static_cast<unsigned>(threads);
}

unsigned blocks_of(const DeviceRows& rows) { return static_cast<unsigned>(std::min(rows.num_rows, kMostBlocks)); }

// The thread's share of a row, N channels at a time; zeros beyond the row.
template <int N, class T>
__device__ void read_share(const T* row, int64_t width, Wide<T> (&value)[kShare]) {
  const int64_t first = int64_t{threadIdx.x} * kShare;
#pragma unroll
  for (int i = 0; i < kShare; i += N)
    if (first + i < width) read<N>(row + first + i, value + i);
}
template <int N, class T>
__device__ void write_share(const Wide<T> (&value)[kShare], T* row, int64_t width) {
  const int64_t first = int64_t{threadIdx.x} * kShare;
#pragma unroll
  for (int i = 0; i < kShare; i += N)
    if (first + i < width) write<N>(value + i, row + first + i);
}

template <class T, int N>
__global__ void __launch_bounds__(kMostThreads) rms_normalise(DeviceRmsNorm work) {
  using A = Wide<T>;
  const int64_t width = work.rows.width;
  for (int64_t row = blockIdx.x; row < work.rows.num_rows; row += gridDim.x) {
    A value[kShare] = {}, squares = 0;
    read_share<N>(static_cast<const T*>(work.x) + row * width, width, value);
    if (work.residual) {
      A residual[kShare] = {};
      read_share<N>(static_cast<const T*>(work.residual) + row * width, width, residual);
#pragma unroll
      for (int i = 0; i < kShare; ++i) value[i] = widen(narrow<T>(value[i] + residual[i]));  // as the way back reads it
      write_share<N>(value, static_cast<T*>(work.sum) + row * width, width);
    }
#pragma unroll
    for (int i = 0; i < kShare; ++i) squares += value[i] * value[i];
    const A rstd = A(1) / sqrt(sum_over_block(squares) / A(width) + A(work.eps));
    A gamma[kShare] = {};
    read_share<1>(static_cast<const A*>(work.gamma), width, gamma);
#pragma unroll
    for (int i = 0; i < kShare; ++i) value[i] *= rstd * gamma[i];
    write_share<N>(value, static_cast<T*>(work.y) + row * width, width);
    if (threadIdx.x == 0) static_cast<A*>(work.rstd)[row] = rstd;
  }
}

// dx = rstd · (dy · gamma − normal · mean(dy · gamma · normal)) + d_sum, where normal = sum · rstd. One block for each
// partial sum; those without rows write zeros.
template <class T, int N>
__global__ void __launch_bounds__(kMostThreads) rms_normalise_backward(DeviceRmsNormBackward work) {
  using A = Wide<T>;
  const int64_t width = work.rows.width;
  A d_gamma[kShare] = {};
  for (int64_t row = blockIdx.x; row < work.rows.num_rows; row += gridDim.x) {
    const A rstd = static_cast<const A*>(work.rstd)[row];
    A dy[kShare] = {}, normal[kShare] = {}, product = 0;
    read_share<N>(static_cast<const T*>(work.dy) + row * width, width, dy);
    read_share<N>(static_cast<const T*>(work.sum) + row * width, width, normal);
    {
      A gamma[kShare] = {};
      read_share<1>(static_cast<const A*>(work.gamma), width, gamma);
#pragma unroll
      for (int i = 0; i < kShare; ++i) {
        normal[i] *= rstd;
        d_gamma[i] += dy[i] * normal[i];
        dy[i] *= gamma[i];
        product += dy[i] * normal[i];
      }
    }
    const A mean = sum_over_block(product) / A(width);
#pragma unroll
    for (int i = 0; i < kShare; ++i) dy[i] = rstd * (dy[i] - normal[i] * mean);
    if (work.d_sum) {
      A from_sum[kShare] = {};
      read_share<N>(static_cast<const T*>(work.d_sum) + row * width, width, from_sum);
#pragma unroll
      for (int i = 0; i < kShare; ++i) dy[i] += from_sum[i];
    }
    write_share<N>(dy, static_cast<T*>(work.dx) + row * width, width);
  }
  write_share<1>(d_gamma, static_cast<A*>(work.partial) + static_cast<int64_t>(blockIdx.x) * width, width);
}

template <class A>
__global__ void add_gamma_parts(DeviceRmsNormBackward work) {
  A total;
  const int64_t channel = sum_of_parts(static_cast<const A*>(work.partial), work.rows.width, total);
  if (channel >= 0) static_cast<A*>(work.d_gamma)[channel] += total;
}

// A block has a row at a time, a thread N pairs of channels of a head.
template <class T, int N>
__global__ void __launch_bounds__(kThreads) turn(DeviceRotate work) {
  using A = Wide<T>;
  const auto half = static_cast<unsigned>(work.half), pairs = static_cast<unsigned>(work.rows.width / 2);
  for (int64_t row = blockIdx.x; row < work.rows.num_rows; row += gridDim.x) {
    const int64_t angles = work.positions[row] * half;
    for (unsigned pair = threadIdx.x * N; pair < pairs; pair += kThreads * N) {
      const unsigned head = pair / half, channel = pair % half;
      const int64_t low_at = row * work.rows.width + int64_t{head} * 2 * half + channel, high_at = low_at + half;
      A low[N], high[N], cosines[N], sines[N];
      read<N>(static_cast<const T*>(work.x) + low_at, low);
      read<N>(static_cast<const T*>(work.x) + high_at, high);
      read<N>(static_cast<const A*>(work.cosines) + angles + channel, cosines);
      read<N>(static_cast<const A*>(work.sines) + angles + channel, sines);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        const A sine = work.back ? -sines[i] : sines[i], was = low[i];
        low[i] = was * cosines[i] - high[i] * sine;
        high[i] = high[i] * cosines[i] + was * sine;
      }
      write<N>(low, static_cast<T*>(work.y) + low_at);
      write<N>(high, static_cast<T*>(work.y) + high_at);
    }
  }
}

// The activation and its derivative.
template <class A>
struct Activated {
  A value, slope;

  // x σ(x);  σ(x) + x σ(x) (1 − σ(x))
  static __device__ Activated silu(A x) {
    const A share = A(1) / (A(1) + exp(-x));
    return {x * share, share + x * share * (A(1) - share)};
  }
  // x Φ(x);  Φ(x) + x φ(x)
  static __device__ Activated gelu(A x) {
    constexpr A kHalfRoot = A(0.70710678118654752440), kDensity = A(0.39894228040143267794);
    const A below = A(0.5) * (A(1) + erf(x * kHalfRoot));
    return {x * below, below + x * kDensity * exp(A(-0.5) * x * x)};
  }
  // ½ x (1 + t), t = tanh(√(2/π) (x + 0.044715 x³));  ½ (1 + t) + ½ x (1 − t²) √(2/π) (1 + 0.134145 x²)
  static __device__ Activated gelu_tanh(A x) {
    constexpr A kRoot = A(0.79788456080286535588), kCubic = A(0.044715);
    const A t = tanh(kRoot * (x + kCubic * x * x * x));
    return {A(0.5) * x * (A(1) + t),
            A(0.5) * (A(1) + t) + A(0.5) * x * (A(1) - t * t) * kRoot * (A(1) + 3 * kCubic * x * x)};
  }
  static __device__ Activated of(Gating gating, A x) {
    return gating == Gating::silu ? silu(x) : gating == Gating::gelu ? gelu(x) : gelu_tanh(x);
  }
};

// Elements of all rows, N at a time.
template <class T, int N>
__global__ void __launch_bounds__(kThreads) gate(DeviceGated work) {
  using A = Wide<T>;
  const int64_t end = work.rows.num_rows * work.rows.width, step = int64_t{gridDim.x} * kThreads * N;
  for (int64_t at = (int64_t{blockIdx.x} * kThreads + threadIdx.x) * N; at < end; at += step) {
    A gates[N], ups[N];
    read<N>(static_cast<const T*>(work.gate) + at, gates);
    read<N>(static_cast<const T*>(work.up) + at, ups);
    if (work.dy) {
      A dy[N];
      read<N>(static_cast<const T*>(work.dy) + at, dy);
#pragma unroll
      for (int i = 0; i < N; ++i) {
        const auto activated = Activated<A>::of(work.gating, gates[i]);
        gates[i] = dy[i] * ups[i] * activated.slope;
        ups[i] = dy[i] * activated.value;
      }
      write<N>(gates, static_cast<T*>(work.d_gate) + at);
      write<N>(ups, static_cast<T*>(work.d_up) + at);
    } else {
#pragma unroll
      for (int i = 0; i < N; ++i) gates[i] = Activated<A>::of(work.gating, gates[i]).value * ups[i];
      write<N>(gates, static_cast<T*>(work.y) + at);
    }
  }
}

// Calls `body` with a value of the rows' type and the Size that rows of `width` are read by.
template <class Body>
void with_shares(const DeviceRows& rows, int64_t width, Body&& body) {
  with_type(rows.type,
            [&](auto zero) { with_chunks<decltype(zero)>(width, [&](auto size) { body(zero, size); }); });
}

}  // namespace

void rms_norm(const DeviceRmsNorm& work) {
  if (work.rows.num_rows == 0) return;
  const Launch launch(work.rows.device);
  const Blocks blocks{blocks_of(work.rows), threads_of(work.rows)};
  with_shares(work.rows, work.rows.width, [&](auto zero, auto size) {
    run(launch, rms_normalise<decltype(zero), size.value>, blocks, work);
  });
  launch.check("rms_norm");
}

void rms_norm_backward(const DeviceRmsNormBackward& work) {
  const Launch launch(work.rows.device);
  const Blocks blocks{kPartialSums, threads_of(work.rows)};
  with_shares(work.rows, work.rows.width, [&](auto zero, auto size) {
    run(launch, rms_normalise_backward<decltype(zero), size.value>, blocks, work);
    if (work.d_gamma) run(launch, add_gamma_parts<Wide<decltype(zero)>>, blocks_of_parts(work.rows.width), work);
  });
  launch.check("rms_norm_backward");
}

void rotate(const DeviceRotate& work) {
  if (work.rows.num_rows == 0) return;
  const Launch launch(work.rows.device);
  with_shares(work.rows, work.half, [&](auto zero, auto size) {
    run(launch, turn<decltype(zero), size.value>, {blocks_of(work.rows), kThreads}, work);
  });
  launch.check("rotate");
}

void gated(const DeviceGated& work) {
  const int64_t count = work.rows.num_rows * work.rows.width;
  if (count == 0) return;
  const Launch launch(work.rows.device);
  with_shares(work.rows, count, [&](auto zero, auto size) {
    const int64_t blocks = std::min((count / size.value + kThreads - 1) / kThreads, 4 * kMostBlocks);
    run(launch, gate<decltype(zero), size.value>, {static_cast<unsigned>(blocks), kThreads}, work);
  });
  launch.check("gated");
}

}  // namespace sft::cuda
