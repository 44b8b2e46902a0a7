// Sequences of like length, which a device pads to one length and computes together. All of a batch in one group would
// waste memory with the square of the longest.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace sft {

struct SequenceGroup {
  int64_t first = 0, count = 0;  // in the order by length
  int64_t longest = 0;           // tokens
};

struct SequenceGroups {
  std::vector<SequenceGroup> groups;
  at::Tensor order_B;  // int32 on the device: sequences by length
  at::Tensor offsets;  // int32 [B+1] on the device
};

// offsets [B+1]. Sets `order` to the sequences by length, the longest first. A group takes sequences of at least half
// its longest, and shorter ones as long as that costs little: few groups are few calls.
std::vector<SequenceGroup> group_sequences(const std::vector<int64_t>& offsets, std::vector<int64_t>& order);

}  // namespace sft
