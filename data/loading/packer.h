// Cuts samples by their lengths: a global batch among ranks, and a rank's share into micro-batches.
// Pure functions of the lengths.
#pragma once

#include <cstdint>
#include <vector>

namespace sft {

// A sample of a global batch that is to be placed somewhere.
struct Item {
  int64_t position = 0;  // in the epoch
  int64_t index = 0;     // in the dataset
  int64_t length = 0;    // tokens
};

// Ranks finish together where lengths are dealt out among many rows, and looking at all rows of a global batch would
// cost each rank time that grows with their number. So a large batch is cut by position into groups of so many rows
// (half as many where parts do not divide evenly), each for some of the parts; a rank looks at its own groups alone.
// Means over so many rows differ by 1 to 2 %.
constexpr int64_t kRowsOfGroup = 4096;

// A piece of a global batch, and the parts that it is dealt out among.
struct DealtGroup {
  int64_t first_row = 0, end_row = 0;
  int first_part = 0, end_part = 0;
};

// The group of part `part` of `parts` over `rows`; the groups of all parts cover the rows.
DealtGroup group_of(int part, int parts, int64_t rows);

// Longest first, earlier positions first among equals.
void sort_by_length(std::vector<Item>& items);

// The items of shard `index` of `count`: each item, longest first, goes to the shard with the fewest tokens so
// far, the lowest among equals. `items` must be sorted by length.
std::vector<Item> deal(const std::vector<Item>& items, int index, int count);

// Micro-batches of at most `max_tokens` tokens and `max_samples` samples (0: no bound); an item longer than
// max_tokens stands alone. There are as few of them as the greedy rules find, with tokens spread evenly; the one with
// the most tokens comes first. `items` must be sorted by length, and so is each micro-batch.
std::vector<std::vector<Item>> pack(const std::vector<Item>& items, int64_t max_tokens, int64_t max_samples);

// Micro-batches that follow the order of `items`, each filled as far as the bounds allow.
std::vector<std::vector<Item>> pack_in_order(const std::vector<Item>& items, int64_t max_tokens, int64_t max_samples);

}  // namespace sft
