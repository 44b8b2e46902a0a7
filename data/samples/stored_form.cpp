#include "data/samples/stored_form.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace sft {
namespace {

constexpr int64_t kBelowTwoBytes = 65536, kBelowOneByte = 256;

bool is_below(const Column& column, int64_t bound) { return column.bound > 0 && column.bound <= bound; }

template <class From, class To>
void convert(const std::byte* from, size_t count, std::byte* to) {
  const auto* first = reinterpret_cast<const From*>(from);
  std::transform(first, first + count, reinterpret_cast<To*>(to), [](From number) { return static_cast<To>(number); });
}

}  // namespace

StoredElement stored_element(const Column& column) {
  switch (column.number) {
    case Number::uint8:
      return StoredElement::uint8;
    case Number::int32:
      return column.role == Role::input && is_below(column, kBelowTwoBytes) ? StoredElement::uint16
                                                                            : StoredElement::int32;
    case Number::float32:
      return is_below(column, kBelowOneByte) ? StoredElement::uint8 : StoredElement::float32;
    case Number::int64:
      break;
  }
  return StoredElement::int64;
}

void narrow(const Column& column, const std::byte* numbers, size_t count, std::byte* stored) {
  if (column.number == Number::int32) return convert<int32_t, uint16_t>(numbers, count, stored);
  convert<float, uint8_t>(numbers, count, stored);
}

void widen(const Column& column, const std::byte* stored, size_t count, std::byte* numbers) {
  if (column.number == Number::int32) return convert<uint16_t, int32_t>(stored, count, numbers);
  convert<uint8_t, float>(stored, count, numbers);
}

}  // namespace sft
