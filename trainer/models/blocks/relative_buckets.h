// T5's relative positions (Raffel et al., 2020): the distance of a key from a query falls into a bucket, small ones
// each into its own, larger ones by their logarithm. To the bit as transformers computes them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace sft {

struct BucketRule {
  int64_t buckets = 32;          // of both directions together where keys stand on both sides
  int64_t max_distance = 128;    // from here on all fall into the last
  bool is_bidirectional = true;  // false: keys behind the query are never seen, and have the bucket of distance 0
};

// int64 [2 L − 1]: column L − 1 + d has the bucket of the key d behind the query.
at::Tensor relative_buckets(int64_t length, const BucketRule& rule);

// Buckets of the lengths that were asked for so far; the table grows with the longest sequence.
class BucketTable {
 public:
  BucketTable(const BucketRule& rule, const at::Device& device) : rule_(rule), device_(device) {}
  // Of a length of at least 1.
  at::Tensor of(int64_t length);

 private:
  BucketRule rule_;
  at::Device device_;
  at::Tensor buckets_;
};

}  // namespace sft
