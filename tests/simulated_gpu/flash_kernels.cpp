// Attention that keeps no probabilities: they are computed whole, of one query at a time, and again on the way back.
#include "tests/simulated_gpu/kernel_body.h"
#include "trainer/models/cuda/kernels.h"

namespace sft::test::simulated {
namespace {

using T = c10::BFloat16;

// A head of a query over the keys that it sees.
struct Query {
  int64_t head, key_head, row, first_key;
  SeenKeys seen;
  std::vector<float> probability;  // of all keys of the sequence
  const float* mask;
};

float product(const T* a, const T* b, int64_t count) {
  float sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<float>(a[i]) * static_cast<float>(b[i]);
  return sum;
}

// The rows of a tensor by row and head.
struct HeadRows {
  T* first;
  int64_t heads, width;
  T* at(int64_t row, int64_t head) const { return first + (row * heads + head) * width; }
};

template <class Body>
void each_query(const DeviceFlash& work, Body body) {
  const auto* const queries = values<int32_t>(work.device, work.queries, work.num_sequences + 1);
  const auto* const keys = values<int32_t>(work.device, work.keys, work.num_sequences + 1);
  const int64_t num_keys_of_all = keys[work.num_sequences];
  const HeadRows q{values<T>(work.device, work.q, work.num_queries * work.heads * work.head_width), work.heads,
                   work.head_width};
  const HeadRows k{values<T>(work.device, work.k, num_keys_of_all * work.key_heads * work.head_width), work.key_heads,
                   work.head_width};
  const float scale = 1 / std::sqrt(static_cast<float>(work.head_width));
  for (int64_t b = 0; b < work.num_sequences; ++b) {
    const int64_t num_keys = keys[b + 1] - keys[b];
    const int64_t draw = work.rate.drops() ? *values<int64_t>(work.device, work.draws + b, 1) : 0;
    for (int64_t head = 0; head < work.heads; ++head) {
      const std::vector<float> mask =
          factors<float>(work.key, work.rate, {draw, head}, num_keys * std::max(num_keys, work.most_queries));
      for (int64_t row = queries[b]; row < queries[b + 1]; ++row) {
        const int64_t place =
            work.mask.places ? *values<int64_t>(work.device, work.mask.places + row, 1) : row - queries[b];
        Query query{head,
                    head * work.key_heads / work.heads,
                    row,
                    keys[b],
                    SeenKeys(work.mask, place, num_keys),
                    std::vector<float>(static_cast<size_t>(num_keys)),
                    mask.data() + place * num_keys};
        float most = -INFINITY, total = 0;
        for (int64_t key = query.seen.begin; key < query.seen.end; ++key) {
          float& score = query.probability[static_cast<size_t>(key)];
          score = product(q.at(row, head), k.at(keys[b] + key, query.key_head), work.head_width) * scale;
          most = std::max(most, score);
        }
        for (int64_t key = query.seen.begin; key < query.seen.end; ++key) {
          float& score = query.probability[static_cast<size_t>(key)];
          total += score = std::exp(score - most);
        }
        for (float& value : query.probability) value /= total;
        body(query);
      }
    }
  }
}

int64_t keys_of_all(const DeviceFlash& work) {
  return values<int32_t>(work.device, work.keys, work.num_sequences + 1)[work.num_sequences];
}

HeadRows query_rows(const DeviceFlash& work, const void* place) {
  return {values<T>(work.device, place, work.num_queries * work.heads * work.head_width), work.heads, work.head_width};
}
HeadRows key_rows(const DeviceFlash& work, const void* place) {
  return {values<T>(work.device, place, keys_of_all(work) * work.key_heads * work.head_width), work.key_heads,
          work.head_width};
}

}  // namespace
}  // namespace sft::test::simulated

namespace sft::cuda {

using namespace test::simulated;

void flash(const DeviceFlash& work) {
  queue(work.device, "flash", {}, [=] {
    const HeadRows v = key_rows(work, work.v), out = query_rows(work, work.out);
    each_query(work, [&](const Query& query) {
      for (int64_t c = 0; c < work.head_width; ++c) {
        float sum = 0;
        for (int64_t key = query.seen.begin; key < query.seen.end; ++key)
          sum += query.probability[static_cast<size_t>(key)] * query.mask[key] *
                 static_cast<float>(v.at(query.first_key + key, query.key_head)[c]);
        out.at(query.row, query.head)[c] = static_cast<T>(sum);
      }
    });
  });
}

void flash_backward(const DeviceFlashBackward& whole) {
  queue(whole.of.device, "flash_backward", {}, [=] {
    const DeviceFlash& work = whole.of;
    const int64_t width = work.head_width;
    const HeadRows q = query_rows(work, work.q), k = key_rows(work, work.k), v = key_rows(work, work.v),
                   d_out = query_rows(work, whole.d_out), dq = query_rows(work, whole.dq);
    const float scale = 1 / std::sqrt(static_cast<float>(width));
    const auto in_keys = static_cast<size_t>(keys_of_all(work) * work.key_heads * width);
    std::vector<float> dk(in_keys), dv(in_keys);
    each_query(work, [&](const Query& query) {
      std::vector<float> d_query(static_cast<size_t>(width)), d_score(query.probability.size());
      float delta = 0;
      for (int64_t key = query.seen.begin; key < query.seen.end; ++key) {
        const auto at = static_cast<size_t>(key);
        d_score[at] = query.mask[key] *
                      product(d_out.at(query.row, query.head), v.at(query.first_key + key, query.key_head), width);
        delta += d_score[at] * query.probability[at];
      }
      for (int64_t key = query.seen.begin; key < query.seen.end; ++key) {
        const auto at = static_cast<size_t>(key);
        const int64_t row = query.first_key + key, first = (row * work.key_heads + query.key_head) * width;
        const float d = query.probability[at] * (d_score[at] - delta) * scale;
        for (int64_t c = 0; c < width; ++c) {
          d_query[static_cast<size_t>(c)] += d * static_cast<float>(k.at(row, query.key_head)[c]);
          dk[static_cast<size_t>(first + c)] += d * static_cast<float>(q.at(query.row, query.head)[c]);
          dv[static_cast<size_t>(first + c)] +=
              query.probability[at] * query.mask[key] * static_cast<float>(d_out.at(query.row, query.head)[c]);
        }
      }
      for (int64_t c = 0; c < width; ++c)
        dq.at(query.row, query.head)[c] = static_cast<T>(d_query[static_cast<size_t>(c)]);
    });
    std::ranges::copy(dk, key_rows(work, whole.dk).first);
    std::ranges::copy(dv, key_rows(work, whole.dv).first);
  });
}

}  // namespace sft::cuda
