// A hash of samples in order that can be put together from the hashes of parts, so that the same data
// has the same fingerprint however it is cut into shards: H = Σ h(sample i) · B^(n−1−i) modulo the
// prime 2^61 − 1 (Karp and Rabin's rolling hash).
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <span>

#include "base/crc32c.h"
#include "data/samples/packed.h"

namespace sft {

class ContentHash {
 public:
  ContentHash() = default;
  ContentHash(uint64_t value, int64_t num_samples) : value_(value % kPrime), num_samples_(num_samples) {}

  // The cells of one sample, all but notes, in the schema's order, and its weight where weights are kept; above their
  // CRC-32C stands how many numbers the first cell has.
  void add(const Schema& schema, std::span<const Packed> cells, std::optional<float> weight) {
    assert(cells.size() == schema.columns.size());
    uint32_t crc = 0;
    for (size_t c = 0; c < cells.size(); ++c)
      if (schema.columns[c].role != Role::note) crc = crc32c(cells[c].bytes(), cells[c].num_bytes(), crc);
    if (weight) crc = crc32c(&*weight, sizeof *weight, crc);
    append({(uint64_t{cells.front().size()} << 32 | crc) % kPrime, 1});
  }

  void append(const ContentHash& next) {
    value_ = (times(value_, power(next.num_samples_)) + next.value_) % kPrime;
    num_samples_ += next.num_samples_;
  }

  uint64_t value() const { return value_; }

 private:
  static constexpr uint64_t kPrime = (uint64_t{1} << 61) - 1;
  static constexpr uint64_t kBase = 0x0F5A3C97E1D24B6B % kPrime;

  static uint64_t times(uint64_t a, uint64_t b) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b % kPrime);
  }
  static uint64_t power(int64_t exponent) {
    uint64_t result = 1;
    for (uint64_t square = kBase; exponent > 0; exponent >>= 1, square = times(square, square)) {
      if ((exponent & 1) != 0) result = times(result, square);
    }
    return result;
  }

  uint64_t value_ = 0;
  int64_t num_samples_ = 0;
};

}  // namespace sft
