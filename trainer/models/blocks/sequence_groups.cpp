#include "trainer/models/blocks/sequence_groups.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace sft {

std::vector<SequenceGroup> group_sequences(const std::vector<int64_t>& queries, const std::vector<int64_t>& keys,
                                           std::vector<int64_t>& order) {
  constexpr int64_t kSmallArea = int64_t{1} << 20;  // scores of one head of a group, padding included
  const auto rows = [](const std::vector<int64_t>& offsets, int64_t b) {
    return offsets[static_cast<size_t>(b) + 1] - offsets[static_cast<size_t>(b)];
  };
  const auto length = [&](int64_t b) { return rows(keys, b); };
  order.resize(keys.size() - 1);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::ranges::greater(), length);

  std::vector<SequenceGroup> groups;
  for (size_t i = 0; i < order.size(); ++i) {
    const int64_t here = length(order[i]);
    const auto fits = [&](const SequenceGroup& group) {
      return 2 * here >= group.longest || (group.count + 1) * group.longest * group.longest <= kSmallArea;
    };
    if (groups.empty() || !fits(groups.back())) groups.push_back({static_cast<int64_t>(i), 0, here, 0});
    ++groups.back().count;
    groups.back().most_queries = std::max(groups.back().most_queries, rows(queries, order[i]));
  }
  return groups;
}

}  // namespace sft
