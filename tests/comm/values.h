// Values of any element type for tests: written from small integers, which every type holds
// exactly, and read back as doubles.
#pragma once

#include <cmath>
#include <cstring>
#include <vector>

#include "comm/combine.h"

namespace sft::test {

class Values {
 public:
  Values(Element element, int64_t count)
      : element_(element), count_(count), bytes_(static_cast<size_t>(count) * bytes_of(element)) {}

  Buffer buffer() { return {bytes_.data(), count_, element_}; }
  Buffer part(int64_t begin, int64_t count) { return {at(begin), count, element_}; }
  int64_t count() const { return count_; }
  const std::vector<std::byte>& bytes() const { return bytes_; }

  void set(int64_t i, double value) {
    switch (element_) {
      case Element::u8:
        return put(i, static_cast<uint8_t>(value));
      case Element::i32:
        return put(i, static_cast<int32_t>(value));
      case Element::i64:
        return put(i, static_cast<int64_t>(value));
      case Element::f64:
        return put(i, value);
      default: {
        const auto single = static_cast<float>(value);
        narrow(element_, reinterpret_cast<const std::byte*>(&single), at(i), 1);
      }
    }
  }

  double get(int64_t i) {
    switch (element_) {
      case Element::u8:
        return taken<uint8_t>(i);
      case Element::i32:
        return taken<int32_t>(i);
      case Element::i64:
        return static_cast<double>(taken<int64_t>(i));
      case Element::f64:
        return taken<double>(i);
      default: {
        float single = 0;
        const std::byte* const part = at(i);
        combine(Reduction::sum, element_, std::span(&part, 1), reinterpret_cast<std::byte*>(&single), 1);
        return single;
      }
    }
  }

 private:
  std::byte* at(int64_t i) { return bytes_.data() + static_cast<size_t>(i) * bytes_of(element_); }
  template <class T>
  void put(int64_t i, T value) {
    std::memcpy(at(i), &value, sizeof value);
  }
  template <class T>
  T taken(int64_t i) {
    T value;
    std::memcpy(&value, at(i), sizeof value);
    return value;
  }

  Element element_;
  int64_t count_;
  std::vector<std::byte> bytes_;
};

// What rank `rank` brings at place i: small, so that 8 ranks' sum is exact in bf16 and in u8.
inline double brought(int rank, int64_t i) { return static_cast<double>((i * 7 + rank * 3) % 16); }

}  // namespace sft::test
