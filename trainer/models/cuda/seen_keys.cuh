// Which keys of its sequence a query sees: keys_seen() of attention_items.h.
#pragma once

#include "trainer/models/blocks/device_kernels.h"

namespace sft::cuda {

// Keys begin … end.
struct SeenKeys {
  int begin, end;

  __device__ SeenKeys(int from, int to) : begin(from), end(to) {}
  __device__ SeenKeys(const DeviceMask& mask, int place, int num_keys) : begin(0), end(num_keys) {
    if (mask.window > 0) {
      const auto window = static_cast<int>(min(mask.window, int64_t{1} << 30));
      begin = max(place - window, 0);
      end = min(place + window + 1, num_keys);
    }
    if (mask.causal) end = min(place + 1, end);
    begin = min(begin, end);
  }
  __device__ bool has(int key) const { return key >= begin && key < end; }
};

// Of query `i` of a sequence whose first one is row `first_row`.
__device__ inline int place_of(const DeviceMask& mask, int64_t first_row, int i) {
  return mask.places ? static_cast<int>(mask.places[first_row + i]) : i;
}

}  // namespace sft::cuda
