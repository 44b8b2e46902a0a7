// A hash of samples in order that can be put together from the hashes of parts, so that the same data
// has the same fingerprint however it is cut into shards: H = Σ h(sample i) · B^(n−1−i) modulo the
// prime 2^61 − 1 (Karp and Rabin's rolling hash).
#pragma once

#include <cstdint>
#include <vector>

#include "base/crc32c.h"
#include "data/samples/example.h"

namespace sft {

class ContentHash {
 public:
  ContentHash() = default;
  ContentHash(uint64_t value, int64_t num_samples) : value_(value % kPrime), num_samples_(num_samples) {}

  // Segments and weights count only where they are kept.
  void add(const Example& example, TargetForm form, bool segments, bool weights) {
    uint32_t crc = crc32c(example.tokens.data(), example.tokens.size() * sizeof(int32_t));
    crc = with_target(example, form, crc);
    if (segments && !example.segments.empty()) crc = crc32c(example.segments.data(), example.segments.size(), crc);
    if (segments && example.segments.empty()) {  // all of them 0
      const std::vector<uint8_t> zeros(example.tokens.size());
      crc = crc32c(zeros.data(), zeros.size(), crc);
    }
    if (weights) crc = crc32c(&example.weight, sizeof example.weight, crc);
    const uint64_t sample = (uint64_t{example.tokens.size()} << 32 | crc) % kPrime;
    append({sample, 1});
  }

  void add_image(const std::vector<uint8_t>& pixels, int64_t label) {
    const uint32_t crc = crc32c(&label, sizeof label, crc32c(pixels.data(), pixels.size()));
    append({(uint64_t{pixels.size()} << 32 | crc) % kPrime, 1});
  }

  void append(const ContentHash& next) {
    value_ = (times(value_, power(next.num_samples_)) + next.value_) % kPrime;
    num_samples_ += next.num_samples_;
  }

  uint64_t value() const { return value_; }

 private:
  static uint32_t with_target(const Example& example, TargetForm form, uint32_t crc) {
    switch (form) {
      case TargetForm::label:
        return crc32c(&example.label, sizeof example.label, crc);
      case TargetForm::label_set:
      case TargetForm::values:
        return crc32c(example.values.data(), example.values.size() * sizeof(float), crc);
      case TargetForm::token_labels:
        return crc32c(example.token_labels.data(), example.token_labels.size() * sizeof(int32_t), crc);
    }
    return crc;
  }

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
