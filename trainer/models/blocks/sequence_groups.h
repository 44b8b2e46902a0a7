// Sequences of like length, which a device pads to one length and computes together. All of a batch in one group would
// waste memory with the square of the longest.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace sft {

struct SequenceGroup {
  int64_t first = 0, count = 0;  // in the order by length
  int64_t longest = 0;           // the most keys of a sequence
  int64_t most_queries = 0;      // of a sequence
};

struct SequenceGroups {
  std::vector<SequenceGroup> groups;
  at::Tensor order_B;        // int32 on the device: sequences by number of keys
  at::Tensor queries, keys;  // int32 [B+1] on the device; the same tensor in self-attention of all rows
};

// Offsets [B+1] of each sequence's queries and keys. Sets `order` to the sequences by number of keys, the longest
// first. A group takes sequences of at least half its longest, and shorter ones as long as that costs little: few
// groups are few calls.
std::vector<SequenceGroup> group_sequences(const std::vector<int64_t>& queries, const std::vector<int64_t>& keys,
                                           std::vector<int64_t>& order);

}  // namespace sft
