#include "trainer/parallel/buckets.h"

#include <algorithm>

namespace sft {
namespace {

int64_t element_bytes(const Arena& arena) { return static_cast<int64_t>(arena.values().element_size()); }

// Both lists are in arena order.
void find_parameters(const Arena& arena, Buckets& buckets) {
  size_t first = 0;
  for (const Placed& placed : arena.placed()) {
    const auto ends_before = [&](size_t k, int64_t place) {
      return buckets.list[k].offset + buckets.list[k].size <= place;
    };
    while (first + 1 < buckets.list.size() && ends_before(first, placed.offset)) ++first;
    size_t last = first;
    while (last + 1 < buckets.list.size() && ends_before(last, placed.offset + placed.size - 1)) ++last;
    for (size_t k = first; k <= last; ++k) ++buckets.list[k].num_parameters;
    buckets.of_placed.push_back({first, last});
  }
}

}  // namespace

Buckets cut_buckets(const Arena& arena, int64_t first_bytes, int64_t bucket_bytes) {
  Buckets buckets;
  bool is_full = true;
  for (const Placed& placed : arena.placed()) {
    if (is_full) buckets.list.push_back({placed.offset, 0, 0});
    Bucket& bucket = buckets.list.back();
    bucket.size = placed.offset + placed.size - bucket.offset;
    const bool is_first = buckets.list.size() == 1;
    is_full = bucket.size * element_bytes(arena) >= (is_first ? first_bytes : bucket_bytes);
  }
  find_parameters(arena, buckets);
  return buckets;
}

Buckets cut_by_stage(const Arena& arena, int64_t bucket_bytes, int64_t unit) {
  const int64_t in_units = arena.size() / unit * unit;
  const int64_t most = std::max<int64_t>(1, bucket_bytes / element_bytes(arena) / unit) * unit;
  std::vector<int64_t> cuts{0, in_units};
  for (size_t i = 1; i < arena.placed().size(); ++i) {
    const Placed& placed = arena.placed()[i];
    if (placed.parameter.stage == arena.placed()[i - 1].parameter.stage) continue;
    for (const int64_t border : {placed.offset, placed.offset + unit - 1})
      cuts.push_back(std::min(border / unit * unit, in_units));
  }
  std::ranges::sort(cuts);
  Buckets buckets;
  for (size_t i = 1; i < cuts.size(); ++i)
    for (int64_t offset = cuts[i - 1]; offset < cuts[i]; offset += buckets.list.back().size)
      buckets.list.push_back({offset, std::min(most, cuts[i] - offset), 0});
  if (in_units < arena.size()) buckets.list.push_back({in_units, arena.size() - in_units, 0});
  find_parameters(arena, buckets);
  return buckets;
}

Buckets cut_evenly(const Arena& arena, int64_t first_bytes, int64_t bucket_bytes, int64_t unit) {
  const auto units_in = [&](int64_t bytes) { return std::max<int64_t>(1, bytes / element_bytes(arena) / unit); };
  const int64_t in_units = arena.size() / unit * unit;
  Buckets buckets;
  for (int64_t offset = 0; offset < in_units;) {
    const int64_t wanted = units_in(offset == 0 ? first_bytes : bucket_bytes) * unit;
    buckets.list.push_back({offset, std::min(wanted, in_units - offset), 0});
    offset += buckets.list.back().size;
  }
  if (in_units < arena.size()) buckets.list.push_back({in_units, arena.size() - in_units, 0});
  find_parameters(arena, buckets);
  return buckets;
}

}  // namespace sft
