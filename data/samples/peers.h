// What `data` needs of the other ranks: two integers, and two functions given by the caller, because data does
// not know comm.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sft {

// Which part of each global batch is this rank's.
struct Shard {
  int index = 0;
  int count = 1;
};

// The shard's contiguous range [first, end) of `size` things; ranges differ by at most one.
inline std::pair<int64_t, int64_t> range_of(int64_t size, Shard shard) {
  return {size * shard.index / shard.count, size * (shard.index + 1) / shard.count};
}

// The shard's neighbours when `parts` contiguous ranges, a multiple of `count`, are cut in place of one a rank; itself
// where `parts` is 0. Together they are the shard's own range.
inline std::vector<Shard> parts_of(Shard shard, int parts) {
  if (parts <= 0) return {shard};
  std::vector<Shard> mine;
  const int here = parts / shard.count;
  for (int part = shard.index * here; part < (shard.index + 1) * here; ++part) mine.push_back({part, parts});
  return mine;
}

struct Peers {
  Shard self;                                                          // {rank, world}
  std::function<std::vector<std::string>(const std::string&)> gather;  // every rank's bytes, in rank order
  // Runs a body on each rank; where one fails, all throw the same error.
  std::function<void(const std::function<void()>&)> together;
};

// A world of one.
inline Peers alone() {
  return {Shard{0, 1}, [](const std::string& mine) { return std::vector<std::string>{mine}; },
          [](const std::function<void()>& body) { body(); }};
}

}  // namespace sft
