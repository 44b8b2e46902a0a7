// The gradient arena cut into the pieces that travel: contiguous, in arena order.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/optim/arena.h"

namespace sft {

struct Bucket {
  int64_t offset = 0;  // in elements of the arena
  int64_t size = 0;    // padding between parameters included
  int num_parameters = 0;
};

struct Buckets {
  struct Range {
    size_t first = 0, last = 0;
  };

  std::vector<Bucket> list;      // in the order in which they leave
  std::vector<Range> of_placed;  // the buckets that hold a part of each placed() parameter
};

// A parameter is never split: a bucket is full with the one that reaches its bytes. The first is small, so that the
// link is busy early.
Buckets cut_buckets(const Arena& arena, int64_t first_bytes, int64_t bucket_bytes);

// Every bucket is a multiple of `unit` elements and covers its part of the arena whatever lies there, so that a large
// embedding is split; fewer than `unit` remain as the last one.
Buckets cut_evenly(const Arena& arena, int64_t first_bytes, int64_t bucket_bytes, int64_t unit);

// As cut_evenly(), and a border between parameters of two stages lies in a bucket of one unit, so that all others are
// of one stage.
Buckets cut_by_stage(const Arena& arena, int64_t bucket_bytes, int64_t unit);

}  // namespace sft
