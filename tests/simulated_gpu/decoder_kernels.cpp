#include "tests/simulated_gpu/kernel_body.h"
#include "trainer/models/cuda/kernels.h"

namespace sft::cuda {

using namespace test::simulated;

void rms_norm(const DeviceRmsNorm& work) {
  queue_kernel(work.rows.device, work.rows.type, "rms_norm", [=](auto zero) {
    using T = decltype(zero);
    using A = Wide<T>;
    const int device = work.rows.device;
    const int64_t width = work.rows.width, count = work.rows.num_rows * width;
    const T *const x = values<T>(device, work.x, count), *const residual = values<T>(device, work.residual, count);
    const A* const gamma = values<A>(device, work.gamma, width);
    T *const sum = values<T>(device, work.sum, count), *const y = values<T>(device, work.y, count);
    A* const rstd = values<A>(device, work.rstd, work.rows.num_rows);
    for (int64_t row = 0; row < work.rows.num_rows; ++row) {
      const int64_t first = row * width;
      std::vector<A> total(static_cast<size_t>(width));
      A squares = 0;
      for (int64_t c = 0; c < width; ++c) {
        A& one = total[static_cast<size_t>(c)];
        one = A(x[first + c]);
        if (residual) one = A(sum[first + c] = static_cast<T>(one + A(residual[first + c])));
        squares += one * one;
      }
      rstd[row] = A(1) / std::sqrt(squares / A(width) + A(work.eps));
      for (int64_t c = 0; c < width; ++c)
        y[first + c] = static_cast<T>(total[static_cast<size_t>(c)] * rstd[row] * gamma[c]);
    }
  });
}

void rms_norm_backward(const DeviceRmsNormBackward& work) {
  queue_kernel(work.rows.device, work.rows.type, "rms_norm_backward", [=](auto zero) {
    using T = decltype(zero);
    using A = Wide<T>;
    const int device = work.rows.device;
    const int64_t width = work.rows.width, count = work.rows.num_rows * width;
    const T *const dy = values<T>(device, work.dy, count), *const d_sum = values<T>(device, work.d_sum, count),
                   *const sum = values<T>(device, work.sum, count);
    const A *const gamma = values<A>(device, work.gamma, width),
                   *const rstd = values<A>(device, work.rstd, work.rows.num_rows);
    T* const dx = values<T>(device, work.dx, count);
    A* const d_gamma = values<A>(device, work.d_gamma, width);
    for (int64_t row = 0; row < work.rows.num_rows; ++row) {
      const auto normal = [&](int64_t i) { return A(sum[i]) * rstd[row]; };
      A mean = 0;
      for (int64_t c = 0, i = row * width; c < width; ++c, ++i) mean += A(dy[i]) * gamma[c] * normal(i) / A(width);
      for (int64_t c = 0, i = row * width; c < width; ++c, ++i) {
        if (d_gamma) d_gamma[c] += A(dy[i]) * normal(i);
        const A other = d_sum ? A(d_sum[i]) : A(0);
        dx[i] = static_cast<T>(rstd[row] * (A(dy[i]) * gamma[c] - normal(i) * mean) + other);
      }
    }
  });
}

void rotate(const DeviceRotate& work) {
  queue_kernel(work.rows.device, work.rows.type, "rotate", [=](auto zero) {
    using T = decltype(zero);
    using A = Wide<T>;
    const int device = work.rows.device;
    const int64_t width = work.rows.width, count = work.rows.num_rows * width;
    const auto* const positions = values<int64_t>(device, work.positions, work.rows.num_rows);
    const T* const x = values<T>(device, work.x, count);
    T* const y = values<T>(device, work.y, count);
    for (int64_t row = 0; row < work.rows.num_rows; ++row) {
      const int64_t angles = positions[row] * work.half;
      const A* const cosines = values<A>(device, static_cast<const A*>(work.cosines) + angles, work.half);
      const A* const sines = values<A>(device, static_cast<const A*>(work.sines) + angles, work.half);
      for (int64_t head = row * width; head < (row + 1) * width; head += 2 * work.half)
        for (int64_t c = 0; c < work.half; ++c) {
          const A low = A(x[head + c]), high = A(x[head + work.half + c]), sine = work.back ? -sines[c] : sines[c];
          y[head + c] = static_cast<T>(low * cosines[c] - high * sine);
          y[head + work.half + c] = static_cast<T>(high * cosines[c] + low * sine);
        }
    }
  });
}

void gated(const DeviceGated& work) {
  queue_kernel(work.rows.device, work.rows.type, "gated", [=](auto zero) {
    using T = decltype(zero);
    using A = Wide<T>;
    const int device = work.rows.device;
    const int64_t count = work.rows.num_rows * work.rows.width;
    const T *const gate = values<T>(device, work.gate, count), *const up = values<T>(device, work.up, count),
                   *const dy = values<T>(device, work.dy, count);
    T *const y = values<T>(device, work.y, count), *const d_gate = values<T>(device, work.d_gate, count),
             *const d_up = values<T>(device, work.d_up, count);
    for (int64_t i = 0; i < count; ++i) {
      const A x = A(gate[i]);
      A share = 0, slope = 0;  // x · share is the activation, and share + x · slope its derivative
      if (work.gating == Gating::silu) {
        share = 1 / (1 + std::exp(-x));
        slope = share * (1 - share);
      } else if (work.gating == Gating::gelu) {
        share = (1 + std::erf(x * A(M_SQRT1_2))) / 2;
        slope = std::exp(-x * x / 2) * A(M_2_SQRTPI * M_SQRT1_2 / 2);
      } else {
        const A root = A(M_2_SQRTPI * M_SQRT1_2), t = std::tanh(root * (x + A(0.044715) * x * x * x));
        share = (1 + t) / 2;
        slope = (1 - t * t) / 2 * root * (1 + A(0.134145) * x * x);
      }
      if (!dy) {
        y[i] = static_cast<T>(x * share * A(up[i]));
        continue;
      }
      d_gate[i] = static_cast<T>(A(dy[i]) * A(up[i]) * (share + x * slope));
      d_up[i] = static_cast<T>(A(dy[i]) * x * share);
    }
  });
}

}  // namespace sft::cuda
