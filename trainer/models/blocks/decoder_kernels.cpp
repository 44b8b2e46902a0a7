#include "trainer/models/blocks/decoder_kernels.h"

#include "trainer/models/blocks/lanes.h"
#include "trainer/models/blocks/multiversion.h"

namespace sft {
namespace {

template <class T>
inline void norm(const RmsNormRows<T>& rows, int64_t begin, int64_t end) {
  const int64_t width = rows.width;
  const T* __restrict gamma = rows.gamma;
  for (int64_t r = begin; r < end; ++r) {
    const T* __restrict x = rows.x + r * width;
    T* __restrict y = rows.y + r * width;
    T squares = 0;
    if (rows.residual != nullptr) {
      const T* __restrict residual = rows.residual + r * width;
      T* __restrict sum = rows.sum + r * width;
      for (int64_t c = 0; c < width; ++c) {
        sum[c] = x[c] + residual[c];
        squares += sum[c] * sum[c];
      }
      x = sum;
    } else {
      for (int64_t c = 0; c < width; ++c) squares += x[c] * x[c];
    }
    const T rstd = T{1} / std::sqrt(squares / static_cast<T>(width) + static_cast<T>(rows.eps));
    for (int64_t c = 0; c < width; ++c) y[c] = x[c] * rstd * gamma[c];
    rows.rstd[r] = rstd;
  }
}

// With n = sum · rstd and g = dy · gamma:  d_sum = rstd (g − n · mean(g · n)).
template <class T>
inline void norm_backward(const RmsNormBackwardRows<T>& rows, T* __restrict d_gamma, int64_t begin, int64_t end) {
  const int64_t width = rows.width;
  const T* __restrict gamma = rows.gamma;
  for (int64_t r = begin; r < end; ++r) {
    const T* __restrict dy = rows.dy + r * width;
    const T* __restrict sum = rows.sum + r * width;
    T* __restrict dx = rows.dx + r * width;
    const T rstd = rows.rstd[r];
    T along = 0;
    for (int64_t c = 0; c < width; ++c) {
      const T seen = dy[c] * sum[c] * rstd;
      along += seen * gamma[c];
      d_gamma[c] += seen;
    }
    const T pull = along / static_cast<T>(width) * rstd;
    if (rows.d_sum != nullptr) {
      const T* __restrict d_sum = rows.d_sum + r * width;
      for (int64_t c = 0; c < width; ++c) dx[c] = rstd * (dy[c] * gamma[c] - sum[c] * pull) + d_sum[c];
    } else {
      for (int64_t c = 0; c < width; ++c) dx[c] = rstd * (dy[c] * gamma[c] - sum[c] * pull);
    }
  }
}

template <class T>
inline void rotate(const RotateRows<T>& rows, int64_t begin, int64_t end) {
  const int64_t half = rows.half, width = rows.heads * 2 * half;
  const T sign = rows.back ? T{-1} : T{1};
  for (int64_t r = begin; r < end; ++r) {
    const T* __restrict cosines = rows.cosines + rows.positions[r] * half;
    const T* __restrict sines = rows.sines + rows.positions[r] * half;
    for (int64_t h = 0; h < rows.heads; ++h) {
      const T* __restrict x = rows.x + r * width + h * 2 * half;
      T* __restrict y = rows.y + r * width + h * 2 * half;
      for (int64_t c = 0; c < half; ++c) {
        const T sine = sign * sines[c];
        y[c] = x[c] * cosines[c] - x[c + half] * sine;
        y[c + half] = x[c + half] * cosines[c] + x[c] * sine;
      }
    }
  }
}

// share = 1 / (1 + e^−x)
template <class T, int Bytes, class Vector = typename Lanes<T, Bytes>::Vector>
[[gnu::always_inline]] inline void sigmoid(const Vector& x, Vector& share) {
  Vector tail = x < 0 ? x : -x;
  exp_negative<T, Bytes>(tail);
  const Vector inverse = T{1} / (T{1} + tail);
  share = x < 0 ? tail * inverse : inverse;
}

template <class T, int Bytes>
[[gnu::always_inline]] inline void gated(const typename Lanes<T, Bytes>::Vector& gate,
                                         const typename Lanes<T, Bytes>::Vector& up,
                                         typename Lanes<T, Bytes>::Vector& y) {
  typename Lanes<T, Bytes>::Vector share;
  sigmoid<T, Bytes>(gate, share);
  y = gate * share * up;
}

// d silu / d gate = share + gate · share · (1 − share)
template <class T, int Bytes>
[[gnu::always_inline]] inline void gated_backward(const typename Lanes<T, Bytes>::Vector& gate,
                                                  typename Lanes<T, Bytes>::Vector& up_then_d_gate,
                                                  typename Lanes<T, Bytes>::Vector& dy_then_d_up) {
  typename Lanes<T, Bytes>::Vector share;
  sigmoid<T, Bytes>(gate, share);
  const typename Lanes<T, Bytes>::Vector silu = gate * share;
  up_then_d_gate = dy_then_d_up * up_then_d_gate * (share + silu * (T{1} - share));
  dy_then_d_up = dy_then_d_up * silu;
}

template <int Bytes, class T>
[[gnu::always_inline]] inline void gate_all(const SwishGate<T>& work, int64_t begin, int64_t end) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  int64_t i = begin;
  for (; i + kCount <= end; i += kCount) {
    Vector y;
    gated<T, Bytes>(load<Bytes>(work.gate + i), load<Bytes>(work.up + i), y);
    store<Bytes>(work.y + i, y);
  }
  if (const size_t rest = static_cast<size_t>(end - i) * sizeof(T); rest > 0) {
    Vector gate{}, up{}, y;
    std::memcpy(&gate, work.gate + i, rest);
    std::memcpy(&up, work.up + i, rest);
    gated<T, Bytes>(gate, up, y);
    std::memcpy(work.y + i, &y, rest);
  }
}

template <int Bytes, class T>
[[gnu::always_inline]] inline void gate_all_backward(const SwishGateBackward<T>& work, int64_t begin, int64_t end) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  int64_t i = begin;
  for (; i + kCount <= end; i += kCount) {
    Vector up = load<Bytes>(work.up + i), dy = load<Bytes>(work.dy + i);
    gated_backward<T, Bytes>(load<Bytes>(work.gate + i), up, dy);
    store<Bytes>(work.d_gate + i, up);
    store<Bytes>(work.d_up + i, dy);
  }
  if (const size_t rest = static_cast<size_t>(end - i) * sizeof(T); rest > 0) {
    Vector gate{}, up{}, dy{};
    std::memcpy(&gate, work.gate + i, rest);
    std::memcpy(&up, work.up + i, rest);
    std::memcpy(&dy, work.dy + i, rest);
    gated_backward<T, Bytes>(gate, up, dy);
    std::memcpy(work.d_gate + i, &up, rest);
    std::memcpy(work.d_up + i, &dy, rest);
  }
}

}  // namespace

void rms_norm_rows(const RmsNormRows<float>& rows, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { norm(rows, begin, end); });
}
void rms_norm_rows(const RmsNormRows<double>& rows, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { norm(rows, begin, end); });
}
void rms_norm_backward_rows(const RmsNormBackwardRows<float>& rows, float* d_gamma, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { norm_backward(rows, d_gamma, begin, end); });
}
void rms_norm_backward_rows(const RmsNormBackwardRows<double>& rows, double* d_gamma, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { norm_backward(rows, d_gamma, begin, end); });
}

void rotate_rows(const RotateRows<float>& rows, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { rotate(rows, begin, end); });
}
void rotate_rows(const RotateRows<double>& rows, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { rotate(rows, begin, end); });
}

void swish_gate(const SwishGate<float>& work, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { gate_all<Bytes>(work, begin, end); });
}
void swish_gate(const SwishGate<double>& work, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { gate_all<Bytes>(work, begin, end); });
}
void swish_gate_backward(const SwishGateBackward<float>& work, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { gate_all_backward<Bytes>(work, begin, end); });
}
void swish_gate_backward(const SwishGateBackward<double>& work, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { gate_all_backward<Bytes>(work, begin, end); });
}

}  // namespace sft
