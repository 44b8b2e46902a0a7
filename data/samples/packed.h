// Numbers of one type, as the bytes that files hold and devices take.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "data/samples/schema.h"

namespace sft {

class Packed {
 public:
  explicit Packed(Number number = Number::uint8) : number_(number), width_(static_cast<size_t>(bytes_of(number))) {}
  Packed(const Packed& other) : Packed(other.number_) { append(other); }
  Packed(Packed&& other) noexcept { swap(other); }
  Packed& operator=(Packed other) noexcept {
    swap(other);
    return *this;
  }

  template <class T>
  static Packed of(const std::vector<T>& numbers) {
    Packed made(number_of<T>());
    made.set(numbers);
    return made;
  }

  Number number() const { return number_; }
  size_t size() const { return num_bytes_ / width_; }  // numbers
  const std::byte* bytes() const { return bytes_.get(); }
  std::byte* bytes() { return bytes_.get(); }
  size_t num_bytes() const { return num_bytes_; }

  // Of another type than the column's is an assert. Views last until the next change.
  template <class T>
  std::span<const T> as() const {
    assert(number_of<T>() == number_);
    return {reinterpret_cast<const T*>(bytes()), size()};
  }
  template <class T>
  std::span<T> as() {
    assert(number_of<T>() == number_);
    return {reinterpret_cast<T*>(bytes()), size()};
  }

  template <class T>
  void append(std::span<const T> numbers) {
    assert(number_of<T>() == number_);
    if (!numbers.empty()) std::memcpy(grow(numbers.size()), numbers.data(), numbers.size_bytes());
  }
  void append(const Packed& other) {
    assert(other.number_ == number_);
    if (other.num_bytes_ > 0) std::memcpy(grow(other.size()), other.bytes(), other.num_bytes_);
  }

  // Replaces what is there.
  template <class T>
  void set(const std::vector<T>& numbers) {
    clear();
    append(std::span<const T>(numbers));
  }
  template <class T>
  void set(T number) {
    clear();
    append(std::span<const T>(&number, 1));
  }
  void clear() { num_bytes_ = 0; }

  // The place of `count` more numbers at the end, which hold nothing yet.
  std::byte* grow(size_t count) {
    const size_t before = num_bytes_;
    num_bytes_ += count * width_;
    if (num_bytes_ > capacity_) move_to(std::max(num_bytes_, 2 * capacity_), before);
    return bytes_.get() + before;
  }
  void reserve(size_t count) {
    if (count * width_ > capacity_) move_to(count * width_, num_bytes_);
  }

  bool operator==(const Packed& other) const {
    return number_ == other.number_ && num_bytes_ == other.num_bytes_ &&
           (num_bytes_ == 0 || std::memcmp(bytes(), other.bytes(), num_bytes_) == 0);
  }

 private:
  void swap(Packed& other) {
    std::swap(number_, other.number_);
    std::swap(width_, other.width_);
    std::swap(bytes_, other.bytes_);
    std::swap(num_bytes_, other.num_bytes_);
    std::swap(capacity_, other.capacity_);
  }
  void move_to(size_t capacity, size_t used) {
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (used > 0) std::memcpy(larger.get(), bytes(), used);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }

  Number number_ = Number::uint8;
  size_t width_ = 1;
  std::unique_ptr<std::byte[]> bytes_;  // not a vector, which would fill what is written just after
  size_t num_bytes_ = 0, capacity_ = 0;
};

}  // namespace sft
