#include "trainer/models/blocks/row_kernels.h"

#include <vector>

#include "trainer/models/blocks/keep_bits.h"
#include "trainer/models/blocks/multiversion.h"

namespace sft {
namespace {

// The random bits of one row at a time.
class RowBits {
 public:
  RowBits(const RowDropout& dropout, int64_t width)
      : dropout_(dropout), width_(width), bits_(dropout.rate.drops() ? static_cast<size_t>(bits_size(width)) : 0) {}

  template <int Bytes>
  void draw(int64_t row) {
    draw_bits<Bytes>(dropout_.key, {dropout_.draws[row], dropout_.positions[row]}, 0, bits_groups(width_),
                     bits_.data());
  }
  const uint16_t* bits() const { return bits_.data(); }

 private:
  const RowDropout& dropout_;
  int64_t width_;
  std::vector<uint16_t> bits_;
};

template <class T>
[[gnu::always_inline]] inline T kept(uint16_t bits, uint32_t threshold, T value) {
  return bits < threshold ? T{0} : value;
}

template <int Bytes, class T>
inline void drop(const DropRows<T>& rows, int64_t begin, int64_t end) {
  RowBits mask(rows.dropout, rows.width);
  const T scale = static_cast<T>(rows.dropout.rate.scale);
  const uint32_t threshold = rows.dropout.rate.threshold;
  for (int64_t r = begin; r < end; ++r) {
    mask.draw<Bytes>(r);
    const uint16_t* __restrict bits = mask.bits();
    const T* __restrict x = rows.x + r * rows.width;
    T* __restrict y = rows.y + r * rows.width;
    for (int64_t c = 0; c < rows.width; ++c) {
      y[c] = kept(bits[c], threshold, x[c] * scale);
    }
  }
}

template <int Bytes, class T>
inline void add_norm(const AddNormRows<T>& rows, int64_t begin, int64_t end) {
  const int64_t width = rows.width;
  RowBits mask(rows.dropout, width);
  const T scale = static_cast<T>(rows.dropout.rate.scale);
  const uint32_t threshold = rows.dropout.rate.threshold;
  const T* __restrict bias = rows.bias;
  const T* __restrict gamma = rows.gamma;
  const T* __restrict beta = rows.beta;
  for (int64_t r = begin; r < end; ++r) {
    const T* __restrict x = rows.x + r * width;
    const T* __restrict residual = rows.residual + r * width;
    T* __restrict sum = rows.sum + r * width;
    T* __restrict y = rows.y + r * width;
    T total = 0;
    if (rows.dropout.rate.drops()) {
      mask.draw<Bytes>(r);
      const uint16_t* __restrict bits = mask.bits();
      for (int64_t c = 0; c < width; ++c) {
        sum[c] = kept(bits[c], threshold, (x[c] + bias[c]) * scale) + residual[c];
        total += sum[c];
      }
    } else {
      for (int64_t c = 0; c < width; ++c) {
        sum[c] = x[c] + bias[c] + residual[c];
        total += sum[c];
      }
    }
    // Two passes over a row in cache: no cancellation in the variance.
    const T mean = total / static_cast<T>(width);
    T squares = 0;
    for (int64_t c = 0; c < width; ++c) {
      squares += (sum[c] - mean) * (sum[c] - mean);
    }
    const T rstd = T{1} / std::sqrt(squares / static_cast<T>(width) + static_cast<T>(rows.eps));
    for (int64_t c = 0; c < width; ++c) {
      y[c] = (sum[c] - mean) * rstd * gamma[c] + beta[c];
    }
    rows.mean[r] = mean;
    rows.rstd[r] = rstd;
  }
}

// With n the normalised row and g = dy·gamma:  d_sum = rstd (g − mean(g) − n · mean(g·n)).
template <int Bytes, class T>
inline void add_norm_backward(const AddNormBackwardRows<T>& rows, NormGradients<T> gradients, int64_t begin,
                              int64_t end) {
  const int64_t width = rows.width;
  RowBits mask(rows.dropout, width);
  const T scale = static_cast<T>(rows.dropout.rate.scale);
  const uint32_t threshold = rows.dropout.rate.threshold;
  const T* __restrict gamma = rows.gamma;
  T* __restrict d_gamma = gradients.gamma;
  T* __restrict d_beta = gradients.beta;
  T* __restrict d_bias = gradients.bias;
  for (int64_t r = begin; r < end; ++r) {
    const T* __restrict dy = rows.dy + r * width;
    const T* __restrict sum = rows.sum + r * width;
    T* __restrict d_residual = rows.d_residual + r * width;
    const T mean = rows.mean[r], rstd = rows.rstd[r];
    T total = 0, along = 0;
    for (int64_t c = 0; c < width; ++c) {
      const T normal = (sum[c] - mean) * rstd;
      const T g = dy[c] * gamma[c];
      total += g;
      along += g * normal;
      d_gamma[c] += dy[c] * normal;
      d_beta[c] += dy[c];
    }
    total /= static_cast<T>(width);
    along /= static_cast<T>(width);
    if (rows.dropout.rate.drops()) {
      mask.draw<Bytes>(r);
      const uint16_t* __restrict bits = mask.bits();
      T* __restrict dx = rows.dx + r * width;
      for (int64_t c = 0; c < width; ++c) {
        const T d = rstd * (dy[c] * gamma[c] - total - (sum[c] - mean) * rstd * along);
        d_residual[c] = d;
        dx[c] = kept(bits[c], threshold, d * scale);
        d_bias[c] += dx[c];
      }
    } else {
      for (int64_t c = 0; c < width; ++c) {
        d_residual[c] = rstd * (dy[c] * gamma[c] - total - (sum[c] - mean) * rstd * along);
        d_bias[c] += d_residual[c];
      }
    }
  }
}

template <class T>
inline void scatter_add(const ScatterRows<T>& work, int64_t begin, int64_t end) {
  for (int64_t r = 0; r < work.num_rows; ++r) {
    if (work.ids[r] == work.left_out) continue;
    const T* __restrict from = work.rows + r * work.width;
    T* __restrict to = work.table + work.ids[r] * work.width;
    for (int64_t c = begin; c < end; ++c) {
      to[c] += from[c];
    }
  }
}

}  // namespace

void drop_rows(const DropRows<float>& rows, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { drop<Bytes>(rows, begin, end); });
}
void drop_rows(const DropRows<double>& rows, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { drop<Bytes>(rows, begin, end); });
}

void add_norm_rows(const AddNormRows<float>& rows, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { add_norm<Bytes>(rows, begin, end); });
}
void add_norm_rows(const AddNormRows<double>& rows, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { add_norm<Bytes>(rows, begin, end); });
}

void add_norm_backward_rows(const AddNormBackwardRows<float>& rows, NormGradients<float> gradients, int64_t begin,
                            int64_t end) {
  on_widest_vectors([&]<int Bytes>() { add_norm_backward<Bytes>(rows, gradients, begin, end); });
}
void add_norm_backward_rows(const AddNormBackwardRows<double>& rows, NormGradients<double> gradients, int64_t begin,
                            int64_t end) {
  on_widest_vectors([&]<int Bytes>() { add_norm_backward<Bytes>(rows, gradients, begin, end); });
}

void scatter_add_rows(const ScatterRows<float>& work, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { scatter_add(work, begin, end); });
}
void scatter_add_rows(const ScatterRows<double>& work, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { scatter_add(work, begin, end); });
}

}  // namespace sft
