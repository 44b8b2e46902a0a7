// Rows of scores between the products of attention, by what their queries see: all keys of the sequence, or those that
// a mask leaves, perhaps with a bias of their places. Either is asked for the rows of a block in order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "trainer/models/blocks/attention_bits.h"
#include "trainer/models/blocks/attention_items.h"
#include "trainer/models/blocks/attention_softmax.h"

namespace sft {

// Every query sees every key. A sequence is one block: a sum over its queries has one order.
template <class T>
class WholeRows {
 public:
  static constexpr bool kOneBlock = true;
  static int64_t most_queries(int64_t of_sequence) { return of_sequence; }

  WholeRows(const AttentionShape& shape, int64_t most_keys, const PlaceBias<const T>&, const PlaceBias<T>& = {})
      : shape_(shape), drops_(shape.rate.drops()), softmax_(shape), bits_(shape, most_keys) {}

  void start(const AttentionItem& item, int64_t head) { bits_.start(item, head); }
  QueryBlock block(const AttentionItem& item, int64_t first) const {
    return {first, item.num_queries - first, {0, item.num_keys}};
  }

  template <int Bytes>
  void soften(const AttentionItem& item, const QueryBlock&, int64_t i, T* scores, T* norm) {
    softmax_row<Bytes>(softmax_, scores, item.num_keys, bits<Bytes>(item, i), norm);
  }
  template <int Bytes>
  void soften_backward(const AttentionItem& item, const QueryBlock&, int64_t i, const T* norm, T* scores, T* d_scores) {
    softmax_row_backward<Bytes>(softmax_, norm, scores, d_scores, item.num_keys, bits<Bytes>(item, i));
  }

 private:
  template <int Bytes>
  const uint16_t* bits(const AttentionItem& item, int64_t i) {
    return drops_ ? bits_.template row<Bytes>(item.place_of(shape_, i), {0, item.num_keys}) : nullptr;
  }

  const AttentionShape& shape_;
  bool drops_;
  Softmax<T> softmax_;
  QueryBits<T> bits_;
};

template <class T>
inline void add_scaled(const T* values, T factor, int64_t count, T* into) {
  for (int64_t i = 0; i < count; ++i) into[i] += values[i] * factor;
}

// Each query sees some keys. Blocks are small, and products skip the keys that none of their queries sees.
template <class T>
class SeenRows {
 public:
  static constexpr bool kOneBlock = false;
  static constexpr int64_t kBlock = 48;  // whole tiles of products by any vectors (small_product.h)
  static int64_t most_queries(int64_t of_sequence) { return std::min(kBlock, of_sequence); }

  SeenRows(const AttentionShape& shape, int64_t most_keys, const PlaceBias<const T>& bias,
           const PlaceBias<T>& d_bias = {})
      : shape_(shape), softmax_(shape), bits_(shape, most_keys), bias_(bias), d_bias_(d_bias) {}

  void start(const AttentionItem& item, int64_t head) {
    bits_.start(item, head);
    head_ = head;
  }

  // Its keys begin where a vector does, so that products take whole ones.
  QueryBlock block(const AttentionItem& item, int64_t first) const {
    const int64_t count = most_queries(item.num_queries - first);
    const int64_t begin = seen(item, first).begin / kMostLanes<T> * kMostLanes<T>;
    return {first, count, {begin, std::max(begin, seen(item, first + count - 1).end)}};
  }

  template <int Bytes>
  void soften(const AttentionItem& item, const QueryBlock& block, int64_t i, T* scores, T* norm) {
    const KeyRange of = within(item, block, i);
    norm[0] = norm[1] = 0;
    if (of.begin < of.end) {
      add_bias(item, block, i, of, scores);
      const int64_t from = hide_front<Bytes>(of, scores, std::numeric_limits<T>::lowest());
      softmax_row<Bytes>(softmax_, scores + from, of.end - from, bits<Bytes>(item, block, i, from, of.end), norm);
    }
    clear_unseen(block, of, scores);
  }

  template <int Bytes>
  void soften_backward(const AttentionItem& item, const QueryBlock& block, int64_t i, const T* norm, T* scores,
                       T* d_scores) {
    const KeyRange of = within(item, block, i);
    if (of.begin < of.end) {
      add_bias(item, block, i, of, scores);
      const int64_t from = hide_front<Bytes>(of, scores, std::numeric_limits<T>::lowest());
      hide_front<Bytes>(of, d_scores, T{});
      softmax_row_backward<Bytes>(softmax_, norm, scores + from, d_scores + from, of.end - from,
                                  bits<Bytes>(item, block, i, from, of.end));
      if (T* into = d_bias_.row(head_, place(item, block, i)))
        add_scaled(d_scores + of.begin, 1 / softmax_.of_scores, of.end - of.begin, into + block.keys.begin + of.begin);
    }
    clear_unseen(block, of, scores);
    clear_unseen(block, of, d_scores);
  }

 private:
  int64_t place(const AttentionItem& item, const QueryBlock& block, int64_t i) const {
    return item.place_of(shape_, block.first + i);
  }
  KeyRange seen(const AttentionItem& item, int64_t query) const {
    return keys_seen(shape_, item.place_of(shape_, query), item.num_keys);
  }
  // What row i sees of its block's keys.
  KeyRange within(const AttentionItem& item, const QueryBlock& block, int64_t i) const {
    const KeyRange all = seen(item, block.first + i);
    return {all.begin - block.keys.begin, all.end - block.keys.begin};
  }

  // Scores are scaled after it.
  void add_bias(const AttentionItem& item, const QueryBlock& block, int64_t i, const KeyRange& of, T* scores) const {
    if (const T* bias = bias_.row(head_, place(item, block, i)))
      add_scaled(bias + block.keys.begin + of.begin, 1 / softmax_.of_scores, of.end - of.begin, scores + of.begin);
  }

  // Sets what is in the vector of the first key seen before it, and returns where that vector begins.
  template <int Bytes>
  static int64_t hide_front(const KeyRange& of, T* row, T value) {
    const int64_t from = of.begin / Lanes<T, Bytes>::kCount * Lanes<T, Bytes>::kCount;
    std::fill(row + from, row + of.begin, value);
    return from;
  }
  static void clear_unseen(const QueryBlock& block, const KeyRange& of, T* row) {
    std::fill(row, row + of.begin, T{});
    std::fill(row + of.end, row + block.num_keys(), T{});
  }

  template <int Bytes>
  const uint16_t* bits(const AttentionItem& item, const QueryBlock& block, int64_t i, int64_t from, int64_t end) {
    if (!shape_.rate.drops()) return nullptr;
    return bits_.template row<Bytes>(place(item, block, i), {block.keys.begin + from, block.keys.begin + end});
  }

  const AttentionShape& shape_;
  Softmax<T> softmax_;
  QueryBits<T> bits_;
  PlaceBias<const T> bias_;
  PlaceBias<T> d_bias_;
  int64_t head_ = 0;
};

}  // namespace sft
