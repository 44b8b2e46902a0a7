#include "tests/simulated_gpu/kernel_body.h"
#include "trainer/models/cuda/kernels.h"

namespace sft::test::simulated {
namespace {

// What is written in `heads` blocks of `length` rows for the sequence, the i-th of a group.
struct Sequence {
  int64_t first, num_rows, block;
};

template <class Body>
void each_sequence(const DeviceSequences& of, Body body) {
  const auto* const order = values<int32_t>(of.device, of.order, of.count);
  for (int64_t i = 0; i < of.count; ++i) {
    const int32_t* const ends = values<int32_t>(of.device, of.offsets + order[i], 2);
    body(Sequence{ends[0], ends[1] - ends[0], i * of.heads * of.length});
  }
}

enum class Way { to_padded, to_packed };

void move(const DevicePadding& work, Way way, const char* name) {
  queue_kernel(work.of.device, work.of.type, name, [=](auto zero) {
    using T = decltype(zero);
    const DeviceSequences& of = work.of;
    const int64_t in_row = of.heads * of.head_width;
    for (size_t t = 0; t < static_cast<size_t>(work.num_tensors); ++t) {
      T* const padded = values<T>(of.device, work.padded[t], of.count * of.length * in_row);
      each_sequence(of, [&](const Sequence& sequence) {
        T* const packed =
            values<T>(of.device, static_cast<T*>(work.packed[t]) + sequence.first * in_row, sequence.num_rows * in_row);
        for (int64_t row = 0; row < of.length; ++row)
          for (int64_t c = 0; c < in_row; ++c) {
            const int64_t head = c / of.head_width;
            T& there = padded[(sequence.block + head * of.length + row) * of.head_width + c % of.head_width];
            if (row < sequence.num_rows && way == Way::to_packed)
              packed[row * in_row + c] = there;
            else if (way == Way::to_padded)
              there = row < sequence.num_rows ? packed[row * in_row + c] : T(0);
          }
      });
    }
  });
}

// Calls `body` with the place of each query's row in [count · heads, queries, length], the keys that it sees, and the
// factors of its probabilities. A query that only pads sees none.
template <class A, class Work, class Body>
void each_query(const Work& work, Body body) {
  const DeviceSequences& of = work.of;
  const auto* const order = values<int32_t>(of.device, of.order, of.count);
  for (int64_t i = 0; i < of.count; ++i) {
    const int32_t* const keys = values<int32_t>(of.device, of.offsets + order[i], 2);
    const int32_t* const queries = values<int32_t>(of.device, work.query_offsets + order[i], 2);
    const int64_t num_keys = keys[1] - keys[0], num_queries = queries[1] - queries[0];
    const int64_t draw = work.rate.drops() ? *values<int64_t>(of.device, work.draws + order[i], 1) : 0;
    std::vector<int64_t> places;
    for (int64_t q = 0; q < num_queries; ++q)
      places.push_back(work.mask.places ? *values<int64_t>(of.device, work.mask.places + queries[0] + q, 1) : q);
    const int64_t elements = places.empty() ? 0 : (*std::ranges::max_element(places) + 1) * num_keys;
    for (int64_t head = 0; head < of.heads; ++head) {
      const std::vector<A> mask = factors<A>(work.key, work.rate, {draw, head}, elements);
      for (int64_t q = 0; q < work.queries; ++q) {
        const int64_t row = ((i * of.heads + head) * work.queries + q) * of.length;
        if (q >= num_queries) {
          body(row, SeenKeys({}, 0, 0), mask.data());
          continue;
        }
        const int64_t place = places[static_cast<size_t>(q)];
        body(row, SeenKeys(work.mask, place, num_keys), mask.data() + place * num_keys);
      }
    }
  }
}

}  // namespace
}  // namespace sft::test::simulated

namespace sft::cuda {

using namespace test::simulated;

void pad(const DevicePadding& work) { move(work, Way::to_padded, "pad"); }
void unpad(const DevicePadding& work) { move(work, Way::to_packed, "unpad"); }

void softmax(const DeviceSoftmax& work) {
  queue_kernel(work.of.device, work.of.type, "softmax", [=](auto zero) {
    using T = decltype(zero);
    using A = Wide<T>;
    const int64_t length = work.of.length, count = work.of.count * work.of.heads * work.queries * length;
    const A* const scores = values<A>(work.of.device, work.scores, count);
    T* const probabilities = values<T>(work.of.device, work.probability, count);
    T* const dropped = values<T>(work.of.device, work.dropped, count);
    const A scale = A(1) / std::sqrt(A(work.of.head_width));
    each_query<A>(work, [&](int64_t row, const SeenKeys& seen, const A* mask) {
      A most = -INFINITY, total = 0;
      for (int64_t k = seen.begin; k < seen.end; ++k) most = std::max(most, scores[row + k]);
      for (int64_t k = seen.begin; k < seen.end; ++k) total += std::exp((scores[row + k] - most) * scale);
      for (int64_t k = 0; k < length; ++k) {
        const A value = seen.has(k) ? std::exp((scores[row + k] - most) * scale) / total : A(0);
        probabilities[row + k] = static_cast<T>(value);
        if (dropped != probabilities)
          dropped[row + k] = static_cast<T>(seen.has(k) ? A(probabilities[row + k]) * mask[k] : A(0));
      }
    });
  });
}

void softmax_backward(const DeviceSoftmaxBackward& work) {
  queue_kernel(work.of.device, work.of.type, "softmax_backward", [=](auto zero) {
    using T = decltype(zero);
    using A = Wide<T>;
    const int64_t length = work.of.length, count = work.of.count * work.of.heads * work.queries * length;
    const T* const probabilities = values<T>(work.of.device, work.probability, count);
    const A* const d_dropped = values<A>(work.of.device, work.d_dropped, count);
    T* const dropped = values<T>(work.of.device, work.dropped, count);
    T* const d_scores = values<T>(work.of.device, work.d_scores, count);
    const A scale = A(1) / std::sqrt(A(work.of.head_width));
    each_query<A>(work, [&](int64_t row, const SeenKeys& seen, const A* mask) {
      A product = 0;
      for (int64_t k = seen.begin; k < seen.end; ++k)
        product += A(probabilities[row + k]) * d_dropped[row + k] * mask[k];
      for (int64_t k = 0; k < length; ++k) {
        const A p = A(probabilities[row + k]), factor = seen.has(k) ? mask[k] : A(0);
        d_scores[row + k] = static_cast<T>(seen.has(k) ? p * (d_dropped[row + k] * factor - product) * scale : A(0));
        dropped[row + k] = static_cast<T>(p * factor);
      }
    });
  });
}

}  // namespace sft::cuda
