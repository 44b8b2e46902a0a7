// The gradient arena cut into the pieces that travel: contiguous, in arena order, a parameter never split.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/optim/arena.h"

namespace sft {

struct Bucket {
  int64_t offset = 0;  // in elements of the arena
  int64_t size = 0;    // from the first parameter to the end of the last; padding between them included
  int num_parameters = 0;
};

struct Buckets {
  std::vector<Bucket> list;    // in the order in which they leave
  std::vector<int> of_placed;  // the bucket of each placed() parameter
};

// A bucket is full with the parameter that reaches its bytes. The first is small, so that the link is
// busy early.
Buckets cut_buckets(const Arena& arena, int64_t first_bytes, int64_t bucket_bytes);

}  // namespace sft
