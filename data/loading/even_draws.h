// Random numbers of one draw, one behind the other: a pure function of (seed, place, draw).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/random.h"

namespace sft {

class EvenDraws {
 public:
  EvenDraws(uint64_t seed, std::string_view place, int64_t draw)
      : key_(derive_key(seed, place, static_cast<uint64_t>(draw))) {}
  double between(double least, double most) { return least + (most - least) * next(); }
  int64_t below(int64_t bound) {
    return std::min(static_cast<int64_t>(next() * static_cast<double>(bound)), bound - 1);
  }

 private:
  double next() { return static_cast<double>(derive_key(key_, "number", count_++) >> 11) * 0x1p-53; }  // in [0, 1)

  uint64_t key_, count_ = 0;
};

}  // namespace sft
