#include "base/random.h"

#include <cassert>
#include <cmath>

namespace sft {
namespace {

constexpr uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;  // golden ratio, sqrt(3) − 1
constexpr int kPhiloxRounds = 10;

// Luby and Rackoff need four rounds for large domains; with ten, five places still show a bias.
constexpr int kFeistelRounds = 12;

constexpr uint32_t low(uint64_t value) { return static_cast<uint32_t>(value); }
constexpr uint32_t high(uint64_t value) { return static_cast<uint32_t>(value >> 32); }

// FNV-1a, 64 bits.
uint64_t hash(std::string_view text) {
  uint64_t value = 0xCBF29CE484222325;
  for (const char byte : text) value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  return value;
}

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t product0 = uint64_t{kMultiplier0} * counter[0];
    const uint64_t product1 = uint64_t{kMultiplier1} * counter[2];
    counter = {high(product1) ^ counter[1] ^ key[0], low(product1), high(product0) ^ counter[3] ^ key[1],
               low(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

uint64_t derive_key(uint64_t seed, std::string_view purpose, uint64_t index) {
  const uint64_t name = hash(purpose);
  const auto bits = philox({low(index), high(index), low(name), high(name)}, {low(seed), high(seed)});
  return uint64_t{bits[1]} << 32 | bits[0];
}

// A generalised Feistel network (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002)
// on a grid of about √size × √size, so that few places lie outside. An even number of columns
// lets it make odd permutations too.
Permutation::Permutation(int64_t size, uint64_t key) : size_(static_cast<uint64_t>(size)), key_(key) {
  assert(size >= 0);
  rows_ = static_cast<uint64_t>(std::sqrt(static_cast<double>(size))) + 1;
  columns_ = 2 * (size_ / (2 * rows_) + 1);
}

// The network permutes the grid. Walking its cycle until it comes back below `size_` is a
// permutation of the places below `size_`.
int64_t Permutation::operator()(int64_t position) const {
  auto value = static_cast<uint64_t>(position);
  assert(value < size_);
  do {
    uint64_t row = value / columns_, column = value % columns_;
    for (uint32_t round = 0; round < kFeistelRounds; ++round) {
      const bool turns_row = round % 2 == 0;
      const uint64_t still = turns_row ? column : row;
      const auto bits = philox({low(still), high(still), round, 0}, {low(key_), high(key_)});
      const uint64_t turn = uint64_t{bits[1]} << 31 | bits[0] >> 1;
      if (turns_row)
        row = (row + turn) % rows_;
      else
        column = (column + turn) % columns_;
    }
    value = row * columns_ + column;
  } while (value >= size_);
  return static_cast<int64_t>(value);
}

}  // namespace sft
