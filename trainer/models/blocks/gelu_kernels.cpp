#include "trainer/models/blocks/gelu_kernels.h"

#include "trainer/models/blocks/lanes.h"
#include "trainer/models/blocks/multiversion.h"

namespace sft {
namespace {

constexpr double kInverseRoot2 = 0.70710678118654752440;
constexpr double kInverseRoot2Pi = 0.39894228040143267794;

// cumulative = Φ(x), density = φ(x)
template <class T, int Bytes, class Vector = typename Lanes<T, Bytes>::Vector>
[[gnu::always_inline]] inline void normal(const Vector& x, Vector& cumulative, Vector& density) {
  if constexpr (sizeof(T) == 4) {
    Vector gauss = x * x * -0.5f;
    exp_negative<T, Bytes>(gauss);
    const Vector z = (x < 0 ? -x : x) * static_cast<float>(kInverseRoot2);
    const Vector t = 1.0f / (1.0f + 0.3275911f * z);
    Vector sum = 1.061405429f * t - 1.453152027f;
    sum = sum * t + 1.421413741f;
    sum = sum * t - 0.284496736f;
    sum = sum * t + 0.254829592f;
    const Vector tail = 0.5f * sum * t * gauss;  // Φ(−|x|)
    cumulative = x < 0 ? tail : 1.0f - tail;
    density = gauss * static_cast<float>(kInverseRoot2Pi);
  } else {
    for (int l = 0; l < Lanes<T, Bytes>::kCount; ++l) {
      cumulative[l] = 0.5 * (1.0 + std::erf(x[l] * kInverseRoot2));
      density[l] = kInverseRoot2Pi * std::exp(-0.5 * x[l] * x[l]);
    }
  }
}

template <class T, int Bytes>
[[gnu::always_inline]] inline void gelu(typename Lanes<T, Bytes>::Vector& x) {
  typename Lanes<T, Bytes>::Vector cumulative, density;
  normal<T, Bytes>(x, cumulative, density);
  x *= cumulative;
}

template <class T, int Bytes>
[[gnu::always_inline]] inline void gelu_backward(const typename Lanes<T, Bytes>::Vector& x,
                                                 typename Lanes<T, Bytes>::Vector& d) {
  typename Lanes<T, Bytes>::Vector cumulative, density;
  normal<T, Bytes>(x, cumulative, density);
  d *= cumulative + x * density;
}

template <int Bytes, class T>
[[gnu::always_inline]] inline void rows_forward(const GeluRows<T>& rows, int64_t begin, int64_t end) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  const int64_t whole = rows.width / kCount * kCount;
  const size_t rest = static_cast<size_t>(rows.width - whole) * sizeof(T);
  for (int64_t r = begin; r < end; ++r) {
    const T* x = rows.x + r * rows.width;
    T* y = rows.y + r * rows.width;
    for (int64_t c = 0; c < whole; c += kCount) {
      Vector value = load<Bytes>(x + c) + load<Bytes>(rows.bias + c);
      gelu<T, Bytes>(value);
      store<Bytes>(y + c, value);
    }
    if (rest > 0) {
      Vector value{}, bias{};
      std::memcpy(&value, x + whole, rest);
      std::memcpy(&bias, rows.bias + whole, rest);
      value += bias;
      gelu<T, Bytes>(value);
      std::memcpy(y + whole, &value, rest);
    }
  }
}

template <int Bytes, class T>
[[gnu::always_inline]] inline void rows_backward(const GeluBackwardRows<T>& rows, T* d_bias, int64_t begin,
                                                 int64_t end) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  const int64_t whole = rows.width / kCount * kCount;
  const size_t rest = static_cast<size_t>(rows.width - whole) * sizeof(T);
  for (int64_t r = begin; r < end; ++r) {
    const T *x = rows.x + r * rows.width, *dy = rows.dy + r * rows.width;
    T* dx = rows.dx + r * rows.width;
    for (int64_t c = 0; c < whole; c += kCount) {
      Vector d = load<Bytes>(dy + c);
      const Vector value = load<Bytes>(x + c) + load<Bytes>(rows.bias + c);
      gelu_backward<T, Bytes>(value, d);
      store<Bytes>(dx + c, d);
      store<Bytes>(d_bias + c, load<Bytes>(d_bias + c) + d);
    }
    if (rest > 0) {
      Vector value{}, bias{}, d{}, sum{};
      std::memcpy(&value, x + whole, rest);
      std::memcpy(&bias, rows.bias + whole, rest);
      std::memcpy(&d, dy + whole, rest);
      std::memcpy(&sum, d_bias + whole, rest);
      gelu_backward<T, Bytes>(value + bias, d);
      sum += d;
      std::memcpy(dx + whole, &d, rest);
      std::memcpy(d_bias + whole, &sum, rest);
    }
  }
}

}  // namespace

void gelu_rows(const GeluRows<float>& rows, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { rows_forward<Bytes>(rows, begin, end); });
}
void gelu_rows(const GeluRows<double>& rows, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { rows_forward<Bytes>(rows, begin, end); });
}
void gelu_backward_rows(const GeluBackwardRows<float>& rows, float* d_bias, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { rows_backward<Bytes>(rows, d_bias, begin, end); });
}
void gelu_backward_rows(const GeluBackwardRows<double>& rows, double* d_bias, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { rows_backward<Bytes>(rows, d_bias, begin, end); });
}

}  // namespace sft
