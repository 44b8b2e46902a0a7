// The random bits of one (sequence, head), drawn as its queries need them. Element place · keys + key, whichever
// queries ask; a group of bits that a query shares with the next is kept.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "trainer/models/blocks/attention_items.h"
#include "trainer/models/blocks/keep_bits.h"
#include "trainer/models/blocks/lanes.h"

namespace sft {

template <class T>
class QueryBits {
 public:
  QueryBits(const AttentionShape& shape, int64_t most_keys)
      : shape_(shape), bits_(static_cast<size_t>(bits_size(most_keys) + kBitsGroup + kMostLanes<T>)) {}

  void start(const AttentionItem& item, int64_t head) {
    row_ = {shape_.draws[item.sequence], head};
    num_keys_ = item.num_keys;
    first_ = drawn_ = 0;
  }

  // Of ascending places: a value for each of `keys`, and what a whole vector may read behind them.
  template <int Bytes>
  const uint16_t* row(int64_t place, const KeyRange& keys) {
    const int64_t begin = place * num_keys_ + keys.begin, first = begin / kBitsGroup;
    const int64_t end = bits_groups(place * num_keys_ + keys.end);
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

}  // namespace sft
