#include "tests/simulated_gpu/kernel_body.h"
#include "trainer/models/cuda/kernels.h"

namespace sft::test::simulated {
namespace {

// Rows of channels in device memory.
template <class T>
struct Rows {
  int device;
  int64_t num_rows, width;
  explicit Rows(const DeviceRows& rows) : device(rows.device), num_rows(rows.num_rows), width(rows.width) {}

  T* matrix(const void* place) const { return values<T>(device, place, num_rows * width); }
  Wide<T>* channels(const void* place) const { return values<Wide<T>>(device, place, width); }
  Wide<T>* of_rows(const void* place) const { return values<Wide<T>>(device, place, num_rows); }

  std::vector<Wide<T>> mask(const RowDropout& dropout, int64_t row) const {
    if (!dropout.rate.drops()) return std::vector<Wide<T>>(static_cast<size_t>(width), 1);
    const BitsRow bits{values<int64_t>(device, dropout.draws, num_rows)[row],
                       values<int64_t>(device, dropout.positions, num_rows)[row]};
    return factors<Wide<T>>(dropout.key, dropout.rate, bits, width);
  }
};

}  // namespace
}  // namespace sft::test::simulated

namespace sft::cuda {

using namespace test::simulated;

void drop_rows(const DeviceDropRows& work) {
  queue_kernel(work.rows.device, work.rows.type, "dropout", [=](auto zero) {
    using T = decltype(zero);
    const Rows<T> rows(work.rows);
    const T* const x = rows.matrix(work.x);
    T* const y = rows.matrix(work.y);
    for (int64_t r = 0; r < rows.num_rows; ++r) {
      const auto mask = rows.mask(work.dropout, r);
      for (int64_t c = 0; c < rows.width; ++c)
        y[r * rows.width + c] = static_cast<T>(x[r * rows.width + c] * mask[static_cast<size_t>(c)]);
    }
  });
}

void add_norm(const DeviceAddNorm& work) {
  queue_kernel(work.rows.device, work.rows.type, "add_norm", [=](auto zero) {
    using T = decltype(zero);
    using A = Wide<T>;
    const Rows<T> rows(work.rows);
    const int64_t width = rows.width;
    const T *const x = rows.matrix(work.x), *const residual = rows.matrix(work.residual);
    const A *const bias = rows.channels(work.bias), *const gamma = rows.channels(work.gamma),
                   *const beta = rows.channels(work.beta);
    T *const sum = rows.matrix(work.sum), *const y = rows.matrix(work.y);
    A *const means = rows.of_rows(work.mean), *const rstds = rows.of_rows(work.rstd);
    for (int64_t r = 0; r < rows.num_rows; ++r) {
      const auto mask = rows.mask(work.dropout, r);
      A total = 0, squares = 0;
      for (int64_t c = 0, i = r * width; c < width; ++c, ++i) {
        sum[i] = static_cast<T>((A(x[i]) + bias[c]) * mask[static_cast<size_t>(c)] + A(residual[i]));
        total += A(sum[i]);
      }
      const A mean = total / A(width);
      for (int64_t c = 0; c < width; ++c) squares += (A(sum[r * width + c]) - mean) * (A(sum[r * width + c]) - mean);
      const A rstd = A(1) / std::sqrt(squares / A(width) + A(work.eps));
      for (int64_t c = 0, i = r * width; c < width; ++c, ++i)
        y[i] = static_cast<T>((A(sum[i]) - mean) * rstd * gamma[c] + beta[c]);
      means[r] = mean;
      rstds[r] = rstd;
    }
  });
}

void add_norm_backward(const DeviceAddNormBackward& work) {
  queue_kernel(work.rows.device, work.rows.type, "add_norm_backward", [=](auto zero) {
    using T = decltype(zero);
    using A = Wide<T>;
    const Rows<T> rows(work.rows);
    const int64_t width = rows.width;
    const T *const dy = rows.matrix(work.dy), *const sum = rows.matrix(work.sum);
    const A *const gamma = rows.channels(work.gamma), *const means = rows.of_rows(work.mean),
                   *const rstds = rows.of_rows(work.rstd);
    T *const d_residual = rows.matrix(work.d_residual), *const dx = rows.matrix(work.dx);
    A* const d_gamma = rows.channels(work.d_vectors[0]);
    A* const d_beta = rows.channels(work.d_vectors[1]);
    A* const d_bias = rows.channels(work.d_vectors[2]);
    for (int64_t r = 0; r < rows.num_rows; ++r) {
      const auto mask = rows.mask(work.dropout, r);
      const auto normal = [&](int64_t i) { return (A(sum[i]) - means[r]) * rstds[r]; };
      A first = 0, second = 0;
      for (int64_t c = 0, i = r * width; c < width; ++c, ++i) {
        first += A(dy[i]) * gamma[c] / A(width);
        second += A(dy[i]) * gamma[c] * normal(i) / A(width);
      }
      for (int64_t c = 0, i = r * width; c < width; ++c, ++i) {
        const A d_sum = rstds[r] * (A(dy[i]) * gamma[c] - first - normal(i) * second);
        const A through = d_sum * mask[static_cast<size_t>(c)];
        if (d_gamma) d_gamma[c] += A(dy[i]) * normal(i);
        if (d_beta) d_beta[c] += A(dy[i]);
        if (d_bias) d_bias[c] += through;
        d_residual[i] = static_cast<T>(d_sum);
        if (dx) dx[i] = static_cast<T>(through);
      }
    }
  });
}

// gelu(v) = v Φ(v);  gelu'(v) = Φ(v) + v φ(v)
void bias_gelu(const DeviceBiasGelu& work) {
  queue_kernel(work.rows.device, work.rows.type, "bias_gelu", [=](auto zero) {
    using T = decltype(zero);
    using A = Wide<T>;
    const Rows<T> rows(work.rows);
    const T *const x = rows.matrix(work.x), *const dy = rows.matrix(work.dy);
    const A* const bias = rows.channels(work.bias);
    T* const y = rows.matrix(work.y);
    for (int64_t i = 0; i < rows.num_rows * rows.width; ++i) {
      const A v = A(x[i]) + bias[i % rows.width], below = (A(1) + std::erf(v * A(M_SQRT1_2))) / A(2);
      const A density = std::exp(-v * v / A(2)) * A(M_2_SQRTPI * M_SQRT1_2 / 2);
      y[i] = static_cast<T>(dy ? A(dy[i]) * (below + v * density) : v * below);
    }
  });
}

}  // namespace sft::cuda
