// How attention's kernels cut their work: a key head of a sequence at a time, and blocks of its queries.
#pragma once

#include <algorithm>
#include <cstdint>

#include "trainer/models/blocks/attention_kernels.h"

namespace sft {

// One (sequence, key head): where its rows are, and the heads that read it.
struct AttentionItem {
  AttentionItem(const AttentionShape& shape, int64_t index)
      : sequence(index / shape.key_heads),
        key_head(index % shape.key_heads),
        key_row(shape.keys[sequence]),
        num_keys(shape.num_keys(sequence)),
        query_row(shape.queries[sequence]),
        num_queries(shape.queries[sequence + 1] - query_row),
        num_heads(shape.heads / shape.key_heads),
        first_head(key_head * num_heads) {}

  int64_t place_of(const AttentionShape& shape, int64_t query) const {
    return shape.places ? shape.places[query_row + query] : query;
  }

  int64_t sequence, key_head, key_row, num_keys, query_row, num_queries, num_heads, first_head;
};

// Keys begin … end of a sequence.
struct KeyRange {
  int64_t begin = 0, end = 0;
};

// What the query at `place` sees of its sequence's keys.
inline KeyRange keys_seen(const AttentionShape& shape, int64_t place, int64_t num_keys) {
  KeyRange range{0, num_keys};
  if (shape.window > 0)
    range = {std::max<int64_t>(place - shape.window, 0), std::min(place + shape.window + 1, num_keys)};
  if (shape.causal) range.end = std::min(place + 1, range.end);
  return {std::min(range.begin, range.end), range.end};
}

// Queries of an item that are multiplied at once, and the keys that any of them sees.
struct QueryBlock {
  int64_t first = 0, count = 0;
  KeyRange keys;
  int64_t num_keys() const { return keys.end - keys.begin; }
};

// The most rows of any sequence that items are of, which scratch is made for.
struct LargestItem {
  LargestItem(const AttentionShape& shape, const AttentionItems& items) {
    if (items.first >= items.end) return;
    for (int64_t b = items.first / shape.key_heads; b <= (items.end - 1) / shape.key_heads; ++b) {
      keys = std::max(keys, shape.num_keys(b));
      queries = std::max(queries, shape.queries[b + 1] - shape.queries[b]);
    }
  }
  int64_t keys = 0, queries = 0;
};

}  // namespace sft
