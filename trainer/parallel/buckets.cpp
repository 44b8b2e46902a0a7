#include "trainer/parallel/buckets.h"

namespace sft {

Buckets cut_buckets(const Arena& arena, int64_t first_bytes, int64_t bucket_bytes) {
  const auto element_bytes = static_cast<int64_t>(arena.gradients().element_size());
  Buckets buckets;
  bool is_full = true;
  for (const Placed& placed : arena.placed()) {
    if (is_full) buckets.list.push_back({placed.offset, 0, 0});
    Bucket& bucket = buckets.list.back();
    bucket.size = placed.offset + placed.size - bucket.offset;
    ++bucket.num_parameters;
    const bool is_first = buckets.list.size() == 1;
    is_full = bucket.size * element_bytes >= (is_first ? first_bytes : bucket_bytes);
    buckets.of_placed.push_back(static_cast<int>(buckets.list.size()) - 1);
  }
  return buckets;
}

}  // namespace sft
