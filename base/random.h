// Randomness as pure functions of a key, so that it is the same on any number of ranks, in any
// order of evaluation and after a resume. Nothing here holds state.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sft {

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
// 128 random bits from a 128-bit counter and a 64-bit key.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// A key of 64 well-mixed bits from a seed and what it is for ("sampler", "dropout", ...).
uint64_t derive_key(uint64_t seed, std::string_view purpose, uint64_t index = 0);

// A pseudo-random permutation of 0 … size−1, by a Feistel network with cycle walking: O(1) memory
// and O(1) expected time a place, whatever the size.
class Permutation {
 public:
  Permutation(int64_t size, uint64_t key);
  int64_t operator()(int64_t position) const;

 private:
  uint64_t size_, key_;
  uint64_t rows_, columns_;
};

}  // namespace sft
