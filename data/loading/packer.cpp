#include "data/loading/packer.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <queue>
#include <utility>

namespace sft {
namespace {

struct Bin {
  std::vector<Item> items;
  int64_t tokens = 0;
  void add(const Item& item) {
    items.push_back(item);
    tokens += item.length;
  }
};

int64_t ceiling(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Graham's rule (longest first, to the emptiest) over exactly `count` bins. Empty where a bound does not hold.
std::vector<Bin> spread(const std::vector<Item>& items, int64_t count, int64_t max_tokens, int64_t max_samples) {
  using Load = std::pair<int64_t, size_t>;  // tokens, bin
  std::priority_queue<Load, std::vector<Load>, std::greater<>> emptiest;
  std::vector<Bin> bins(static_cast<size_t>(count));
  for (size_t bin = 0; bin < bins.size(); ++bin) emptiest.emplace(0, bin);
  for (const Item& item : items) {
    if (emptiest.empty()) return {};
    const size_t bin = emptiest.top().second;
    emptiest.pop();
    bins[bin].add(item);
    if (bins[bin].tokens > max_tokens && bins[bin].items.size() > 1) return {};
    if (static_cast<int64_t>(bins[bin].items.size()) < max_samples) emptiest.emplace(bins[bin].tokens, bin);
  }
  return bins;
}

// First fit, longest first: at most 11/9 of the fewest possible bins, and one more (Johnson).
std::vector<Bin> first_fit(const std::vector<Item>& items, int64_t max_tokens, int64_t max_samples) {
  std::vector<Bin> bins;
  size_t first_open = 0;  // all before it have max_samples
  for (const Item& item : items) {
    while (first_open < bins.size() && static_cast<int64_t>(bins[first_open].items.size()) >= max_samples) ++first_open;
    const auto fits = [&](const Bin& bin) {
      return bin.tokens + item.length <= max_tokens && static_cast<int64_t>(bin.items.size()) < max_samples;
    };
    auto bin = std::find_if(bins.begin() + static_cast<std::ptrdiff_t>(first_open), bins.end(), fits);
    if (bin == bins.end()) bin = bins.emplace(bins.end());
    bin->add(item);
  }
  return bins;
}

}  // namespace

DealtGroup group_of(int part, int parts, int64_t rows) {
  assert(part >= 0 && part < parts);
  const int64_t groups = std::clamp<int64_t>(rows / kRowsOfGroup, 1, parts);
  const auto first_part = [&](int64_t group) { return static_cast<int>(group * parts / groups); };
  const int64_t group = (int64_t{part + 1} * groups - 1) / parts;  // the last that begins at `part` or before
  const int first = first_part(group), end = first_part(group + 1);
  return {rows * first / parts, rows * end / parts, first, end};
}

void sort_by_length(std::vector<Item>& items) {
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return std::pair(-a.length, a.position) < std::pair(-b.length, b.position);
  });
}

std::vector<Item> deal(const std::vector<Item>& items, int index, int count) {
  assert(index >= 0 && index < count);
  using Load = std::pair<int64_t, int>;  // tokens, shard
  std::priority_queue<Load, std::vector<Load>, std::greater<>> emptiest;
  for (int shard = 0; shard < count; ++shard) emptiest.emplace(0, shard);
  std::vector<Item> share;
  for (const Item& item : items) {
    const auto [tokens, shard] = emptiest.top();
    emptiest.pop();
    if (shard == index) share.push_back(item);
    emptiest.emplace(tokens + item.length, shard);
  }
  return share;
}

std::vector<std::vector<Item>> pack(const std::vector<Item>& items, int64_t max_tokens, int64_t max_samples) {
  assert(max_tokens > 0 && max_samples >= 0);
  if (items.empty()) return {};
  if (max_samples == 0) max_samples = std::numeric_limits<int64_t>::max();
  int64_t tokens = 0;
  for (const Item& item : items) tokens += item.length;
  const auto num_items = static_cast<int64_t>(items.size());
  const int64_t fewest =
      std::max(ceiling(tokens, max_tokens), max_samples < num_items ? ceiling(num_items, max_samples) : 1);

  // First fit shows how many are enough; from the bound below up to that, the first number that can be spread evenly.
  std::vector<Bin> bins = first_fit(items, max_tokens, max_samples);
  const auto enough = static_cast<int64_t>(bins.size());
  for (int64_t count = std::min(fewest, enough); count <= enough; ++count) {
    std::vector<Bin> even = spread(items, count, max_tokens, max_samples);
    if (even.empty()) continue;
    bins = std::move(even);
    break;
  }
  std::stable_sort(bins.begin(), bins.end(), [](const Bin& a, const Bin& b) { return a.tokens > b.tokens; });
  std::vector<std::vector<Item>> packed;
  for (Bin& bin : bins) packed.push_back(std::move(bin.items));
  return packed;
}

std::vector<std::vector<Item>> pack_in_order(const std::vector<Item>& items, int64_t max_tokens, int64_t max_samples) {
  assert(max_tokens > 0 && max_samples >= 0);
  std::vector<std::vector<Item>> packed;
  int64_t tokens = 0;
  for (const Item& item : items) {
    const bool full = packed.empty() || tokens + item.length > max_tokens ||
                      (max_samples > 0 && static_cast<int64_t>(packed.back().size()) >= max_samples);
    if (full) {
      packed.emplace_back();
      tokens = 0;
    }
    packed.back().push_back(item);
    tokens += item.length;
  }
  return packed;
}

}  // namespace sft
