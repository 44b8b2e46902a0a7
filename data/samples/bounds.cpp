#include "data/samples/bounds.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <span>
#include <type_traits>

#include "base/text.h"

namespace sft {
namespace {

// One comparison a number, without a branch: the compiler makes it vectors.
template <class T>
bool are_below(std::span<const T> numbers, int64_t bound, bool may_lack) {
  using Unsigned = std::make_unsigned_t<T>;
  Unsigned largest = 0;
  for (const T number : numbers)
    largest = std::max(largest,
                       may_lack && number == static_cast<T>(kNoTarget) ? Unsigned{0} : static_cast<Unsigned>(number));
  return static_cast<uint64_t>(largest) < static_cast<uint64_t>(bound);
}

template <class T>
bool whole_fit(const Column& column, const std::byte* numbers, size_t count) {
  if (column.bound == 0 || count == 0) return true;
  return are_below(std::span(reinterpret_cast<const T*>(numbers), count), column.bound, column.may_lack());
}

bool real_fit(const Column& column, const std::byte* numbers, size_t count) {
  const auto limit = static_cast<float>(column.bound);
  return std::ranges::all_of(std::span(reinterpret_cast<const float*>(numbers), count), [&](float number) {
    return column.bound > 0 ? number >= 0 && number < limit : std::isfinite(number);
  });
}

std::string text_of(const Column& column, const std::byte* number) {
  Packed one(column.number);
  std::memcpy(one.grow(1), number, static_cast<size_t>(bytes_of(column.number)));
  switch (column.number) {
    case Number::uint8:
      return std::to_string(one.as<uint8_t>()[0]);
    case Number::int32:
      return std::to_string(one.as<int32_t>()[0]);
    case Number::int64:
      return std::to_string(one.as<int64_t>()[0]);
    case Number::float32:
      break;
  }
  return concat(one.as<float>()[0]);
}

}  // namespace

bool fits(const Column& column, const std::byte* numbers, size_t count) {
  switch (column.number) {
    case Number::uint8:
      return whole_fit<uint8_t>(column, numbers, count);
    case Number::int32:
      return whole_fit<int32_t>(column, numbers, count);
    case Number::int64:
      return whole_fit<int64_t>(column, numbers, count);
    case Number::float32:
      break;
  }
  return real_fit(column, numbers, count);
}

std::string fault_of(const Column& column, const std::byte* numbers, size_t count) {
  const auto width = static_cast<size_t>(bytes_of(column.number));
  for (size_t i = 0; i < count; ++i, numbers += width) {
    if (fits(column, numbers, 1)) continue;
    return concat(text_of(column, numbers), column.bound > 0 ? concat(" is outside 0 … ", column.bound - 1)
                                                             : std::string(" is not a finite number"));
  }
  return "";
}

bool is_whole(const Sample& sample, const Schema& schema, int64_t max_length) {
  std::map<std::string, int64_t> entries;  // by axis
  if (sample.cells.size() != schema.columns.size()) return false;
  for (size_t c = 0; c < sample.cells.size(); ++c) {
    const Column& column = schema.columns[c];
    const Packed& cell = sample.cells[c];
    const auto numbers = static_cast<int64_t>(cell.size()), here = numbers / column.entry_numbers();
    if (cell.number() != column.number || numbers % column.entry_numbers() != 0) return false;
    if (column.axis.empty() ? here != 1 : entries.emplace(column.axis, here).first->second != here) return false;
    if (!fits(column, cell.bytes(), cell.size())) return false;
  }
  int64_t units = 0;
  for (const std::string& axis : schema.units) units += entries.at(axis);
  return schema.units.empty() || (units >= 1 && units <= max_length);
}

}  // namespace sft
