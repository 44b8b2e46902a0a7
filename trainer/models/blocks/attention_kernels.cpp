#include "trainer/models/blocks/attention_kernels.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "trainer/models/blocks/multiversion.h"
#include "trainer/models/blocks/small_product.h"

namespace sft {
namespace {

// One (sequence, head): where its rows are.
struct Item {
  Item(const AttentionShape& shape, int64_t index)
      : sequence(index / shape.heads),
        head(index % shape.heads),
        key_row(shape.offsets[sequence]),
        num_keys(shape.offsets[sequence + 1] - key_row),
        query_row(shape.first_only ? sequence : key_row),
        num_queries(shape.first_only ? std::min<int64_t>(num_keys, 1) : num_keys) {}
  int64_t sequence, head, key_row, num_keys, query_row, num_queries;
};

int64_t longest(const AttentionShape& shape, int64_t begin, int64_t end) {
  int64_t length = 0;
  for (int64_t i = begin; i < end; i += shape.heads) length = std::max(length, Item(shape, i).num_keys);
  return std::max(length, end > begin ? Item(shape, end - 1).num_keys : 0);
}

// A buffer on a cache line's border.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t size) : memory_(static_cast<size_t>(size) + 64 / sizeof(T)) {
    const auto address = reinterpret_cast<uintptr_t>(memory_.data());
    data_ = memory_.data() + (64 - address % 64) % 64 / sizeof(T);
  }
  T* data() { return data_; }

 private:
  std::vector<T> memory_;
  T* data_;
};

// The random bits of one (sequence, head), drawn as its queries need them. Element query · keys + key; a group that a
// query shares with the next is kept.
template <class T>
class QueryBits {
 public:
  QueryBits(const AttentionShape& shape, int64_t most_keys)
      : shape_(shape), bits_(static_cast<size_t>(bits_size(most_keys) + kBitsGroup + kMostLanes<T>)) {}

  void start(const Item& item) {
    row_ = {shape_.draws[item.sequence], item.head};
    num_keys_ = item.num_keys;
    first_ = drawn_ = 0;
  }

  // Of queries in their order: num_keys values, and what a whole vector may read behind them.
  template <int Bytes>
  const uint16_t* row(int64_t query) {
    const int64_t begin = query * num_keys_, first = begin / kBitsGroup, end = bits_groups(begin + num_keys_);
    if (first != first_ && first < drawn_) {
      std::memcpy(bits_.data(), bits_.data() + (first - first_) * kBitsGroup, kBitsGroup * sizeof(uint16_t));
    }
    first_ = first;
    drawn_ = std::max(drawn_, first);
    if (drawn_ < end) {
      draw_bits<Bytes>(shape_.key, row_, drawn_, end - drawn_, bits_.data() + (drawn_ - first) * kBitsGroup);
      drawn_ = end;
    }
    return bits_.data() + begin - first * kBitsGroup;
  }

 private:
  const AttentionShape& shape_;
  std::vector<uint16_t> bits_;
  BitsRow row_;
  int64_t num_keys_ = 0;
  int64_t first_ = 0, drawn_ = 0;  // the buffer holds the groups first_ … drawn_
};

// to [rows, padded width] = from [rows, width], zeros behind.
template <class T>
inline void pack(const T* from, int64_t from_row, int64_t rows, int64_t width, T* to, int64_t to_row) {
  for (int64_t r = 0; r < rows; ++r) {
    T* __restrict row = to + r * to_row;
    for (int64_t c = 0; c < width; ++c) row[c] = from[r * from_row + c];
    for (int64_t c = width; c < to_row; ++c) row[c] = 0;
  }
}

// to [width, padded rows] = the transpose of from [rows, width], zeros behind.
template <class T>
inline void pack_transposed(const T* from, int64_t from_row, int64_t rows, int64_t width, T* to, int64_t to_row) {
  for (int64_t c = 0; c < width; ++c) {
    T* __restrict row = to + c * to_row;
    for (int64_t r = 0; r < rows; ++r) row[r] = from[r * from_row + c];
    for (int64_t r = rows; r < to_row; ++r) row[r] = 0;
  }
}

template <class T>
inline void unpack(const T* from, int64_t from_row, int64_t rows, int64_t width, T* to, int64_t to_row) {
  for (int64_t r = 0; r < rows; ++r) {
    T* __restrict row = to + r * to_row;
    for (int64_t c = 0; c < width; ++c) row[c] = from[r * from_row + c];
  }
}

// What softmax needs of the call, in the type of the rows.
template <class T>
struct Softmax {
  explicit Softmax(const AttentionShape& shape)
      : root(static_cast<T>(1.0 / std::sqrt(static_cast<double>(shape.head_width)))),
        scale(static_cast<T>(shape.rate.scale)),
        threshold(shape.rate.threshold) {}
  T root, scale;
  uint32_t threshold;
};

template <class T, int Bytes>
[[gnu::always_inline]] inline T sum_of(const typename Lanes<T, Bytes>::Vector& values) {
  T sum = 0;
  for (int l = 0; l < Lanes<T, Bytes>::kCount; ++l) sum += values[l];
  return sum;
}

// scores[0 … size) become probabilities, dropped where `bits` says so; `norm` keeps the highest score and one over the
// denominator. What pads the row to whole vectors becomes as good as zero, and nobody reads it.
template <int Bytes, class T>
[[gnu::always_inline]] inline void softmax_row(const Softmax<T>& softmax, T* scores, int64_t size, const uint16_t* bits,
                                               T* norm) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  const int64_t end = padded<T, Bytes>(size);
  for (int64_t j = size; j < end; ++j) scores[j] = std::numeric_limits<T>::lowest();
  Vector highest = load<Bytes>(scores);
  for (int64_t j = kCount; j < end; j += kCount) {
    const Vector row = load<Bytes>(scores + j);
    highest = row > highest ? row : highest;
  }
  T most = highest[0];
  for (int l = 1; l < kCount; ++l) most = highest[l] > most ? highest[l] : most;

  Vector sums{};
  for (int64_t j = 0; j < end; j += kCount) {
    Vector row = (load<Bytes>(scores + j) - most) * softmax.root;
    exp_negative<T, Bytes>(row);
    sums += row;
    store<Bytes>(scores + j, row);
  }
  norm[0] = most;
  norm[1] = T{1} / sum_of<T, Bytes>(sums);
  const T factor = norm[1] * softmax.scale;
  for (int64_t j = 0; j < end; j += kCount) {
    Vector row = load<Bytes>(scores + j) * factor;
    if (bits) drop<T, Bytes>(bits + j, softmax.threshold, row);
    store<Bytes>(scores + j, row);
  }
}

// From scores and the gradient of what was multiplied with the values: the dropped probabilities, and the scores'
// gradient. Its row sum, truly zero, is kept near zero by summing what is then subtracted.
template <int Bytes, class T>
[[gnu::always_inline]] inline void softmax_row_backward(const Softmax<T>& softmax, const T* norm, T* scores,
                                                        T* d_scores, int64_t size, const uint16_t* bits) {
  using Vector = typename Lanes<T, Bytes>::Vector;
  constexpr int64_t kCount = Lanes<T, Bytes>::kCount;
  const int64_t end = padded<T, Bytes>(size);
  for (int64_t j = size; j < end; ++j) scores[j] = std::numeric_limits<T>::lowest(), d_scores[j] = 0;
  Vector sums{};
  for (int64_t j = 0; j < end; j += kCount) {
    Vector probability = (load<Bytes>(scores + j) - norm[0]) * softmax.root;
    exp_negative<T, Bytes>(probability);
    probability *= norm[1];
    Vector d = load<Bytes>(d_scores + j) * softmax.scale;
    if (bits) drop<T, Bytes>(bits + j, softmax.threshold, d);
    sums += probability * d;
    store<Bytes>(scores + j, probability);
    store<Bytes>(d_scores + j, d);
  }
  const T along = sum_of<T, Bytes>(sums);
  for (int64_t j = 0; j < end; j += kCount) {
    const Vector probability = load<Bytes>(scores + j);
    store<Bytes>(d_scores + j, probability * (load<Bytes>(d_scores + j) - along) * softmax.root);
    Vector kept = probability * softmax.scale;
    if (bits) drop<T, Bytes>(bits + j, softmax.threshold, kept);
    store<Bytes>(scores + j, kept);
  }
}

template <int Bytes, class T>
inline void forward(const AttentionForward<T>& attention, int64_t begin, int64_t end) {
  const AttentionShape& shape = attention.shape;
  const int64_t width = shape.head_width, channels = shape.heads * width;
  const int64_t wide = padded<T, Bytes>(width), most = padded<T, Bytes>(longest(shape, begin, end));
  const int64_t most_queries = shape.first_only ? 1 : most;
  Scratch<T> keys(width * most), values(most * wide), scores(most_queries * most), result(most_queries * wide);
  const Softmax<T> softmax(shape);
  const bool drops = shape.rate.drops();
  QueryBits<T> bits(shape, most);

  for (int64_t index = begin; index < end; ++index) {
    const Item item(shape, index);
    const int64_t length = item.num_keys, long_row = padded<T, Bytes>(length), column = item.head * width;
    bits.start(item);
    const T* q = attention.q + item.query_row * channels + column;
    pack_transposed(attention.k + item.key_row * channels + column, channels, length, width, keys.data(), long_row);
    pack(attention.v + item.key_row * channels + column, channels, length, width, values.data(), wide);
    product<Bytes>(item.num_queries, long_row, width, Strided<T>{q, channels, 1}, keys.data(), long_row, scores.data(),
                   long_row);

    for (int64_t i = 0; i < item.num_queries; ++i) {
      const uint16_t* const fallen = drops ? bits.template row<Bytes>(i) : nullptr;
      softmax_row<Bytes>(softmax, scores.data() + i * long_row, length, fallen,
                         attention.norms + ((item.query_row + i) * shape.heads + item.head) * 2);
    }
    product<Bytes>(item.num_queries, wide, length, Strided<T>{scores.data(), long_row, 1}, values.data(), wide,
                   result.data(), wide);
    unpack(result.data(), wide, item.num_queries, width, attention.out + item.query_row * channels + column, channels);
  }
}

// With P the probabilities, m the mask with its scale:
//   dV = (P m)ᵀ dO     dP = m (dO Vᵀ)     dS = P (dP − Σ_j P dP) / √D     dQ = dS K     dK = dSᵀ Q
template <int Bytes, class T>
inline void backward(const AttentionBackward<T>& attention, int64_t begin, int64_t end) {
  const AttentionShape& shape = attention.shape;
  const int64_t width = shape.head_width, channels = shape.heads * width;
  const int64_t wide = padded<T, Bytes>(width), most = padded<T, Bytes>(longest(shape, begin, end));
  const int64_t most_queries = shape.first_only ? 1 : most;
  Scratch<T> across(width * most), tall(most * wide), result(most * wide);
  Scratch<T> dropped(most_queries * most), d_scores(most_queries * most);
  const Softmax<T> softmax(shape);
  const bool drops = shape.rate.drops();
  QueryBits<T> bits(shape, most);

  for (int64_t index = begin; index < end; ++index) {
    const Item item(shape, index);
    const int64_t length = item.num_keys, queries = item.num_queries, long_row = padded<T, Bytes>(length);
    const int64_t column = item.head * width;
    bits.start(item);
    const int64_t at_query = item.query_row * channels + column, at_key = item.key_row * channels + column;

    pack_transposed(attention.k + at_key, channels, length, width, across.data(), long_row);
    product<Bytes>(queries, long_row, width, Strided<T>{attention.q + at_query, channels, 1}, across.data(), long_row,
                   dropped.data(), long_row);
    pack_transposed(attention.v + at_key, channels, length, width, across.data(), long_row);
    product<Bytes>(queries, long_row, width, Strided<T>{attention.d_out + at_query, channels, 1}, across.data(),
                   long_row, d_scores.data(), long_row);

    for (int64_t i = 0; i < queries; ++i) {
      const uint16_t* const fallen = drops ? bits.template row<Bytes>(i) : nullptr;
      softmax_row_backward<Bytes>(softmax, attention.norms + ((item.query_row + i) * shape.heads + item.head) * 2,
                                  dropped.data() + i * long_row, d_scores.data() + i * long_row, length, fallen);
    }

    pack(attention.d_out + at_query, channels, queries, width, tall.data(), wide);
    product<Bytes>(length, wide, queries, Strided<T>{dropped.data(), 1, long_row}, tall.data(), wide, result.data(),
                   wide);
    unpack(result.data(), wide, length, width, attention.dv + at_key, channels);

    pack(attention.q + at_query, channels, queries, width, tall.data(), wide);
    product<Bytes>(length, wide, queries, Strided<T>{d_scores.data(), 1, long_row}, tall.data(), wide, result.data(),
                   wide);
    unpack(result.data(), wide, length, width, attention.dk + at_key, channels);

    pack(attention.k + at_key, channels, length, width, tall.data(), wide);
    product<Bytes>(queries, wide, length, Strided<T>{d_scores.data(), long_row, 1}, tall.data(), wide, result.data(),
                   wide);
    unpack(result.data(), wide, queries, width, attention.dq + at_query, channels);
  }
}

}  // namespace

void attend(const AttentionForward<float>& attention, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { forward<Bytes>(attention, begin, end); });
}
void attend(const AttentionForward<double>& attention, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { forward<Bytes>(attention, begin, end); });
}
void attend_backward(const AttentionBackward<float>& attention, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { backward<Bytes>(attention, begin, end); });
}
void attend_backward(const AttentionBackward<double>& attention, int64_t begin, int64_t end) {
  on_widest_vectors([&]<int Bytes>() { backward<Bytes>(attention, begin, end); });
}

}  // namespace sft
