#include "data/samples/bounds.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

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
std::string whole_fault(const Column& column, const std::byte* numbers, size_t count) {
  const std::span all(reinterpret_cast<const T*>(numbers), count);
  if (count == 0 || column.bound == 0 || are_below(all, column.bound, column.may_lack())) return "";
  const auto bad = std::ranges::find_if(
      all, [&](T number) { return !are_below(std::span<const T>(&number, 1), column.bound, column.may_lack()); });
  return concat(int64_t{*bad}, " is outside 0 … ", column.bound - 1);
}

std::string real_fault(const Column& column, const std::byte* numbers, size_t count) {
  const std::span all(reinterpret_cast<const float*>(numbers), count);
  const auto limit = static_cast<float>(column.bound);
  const bool whole = column.bound > 0;
  for (const float number : all) {
    if (whole && !(number >= 0 && number < limit)) return concat(number, " is outside 0 … ", column.bound - 1);
    if (!std::isfinite(number)) return concat(number, " is not a finite number");
  }
  return "";
}

}  // namespace

std::string fault_of(const Column& column, const std::byte* numbers, size_t count) {
  switch (column.number) {
    case Number::uint8:
      return whole_fault<uint8_t>(column, numbers, count);
    case Number::int32:
      return whole_fault<int32_t>(column, numbers, count);
    case Number::int64:
      return whole_fault<int64_t>(column, numbers, count);
    case Number::float32:
      break;
  }
  return real_fault(column, numbers, count);
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
    if (!fault_of(column, cell.bytes(), cell.size()).empty()) return false;
  }
  int64_t units = 0;
  for (const std::string& axis : schema.units) units += entries.at(axis);
  return schema.units.empty() || (units >= 1 && units <= max_length);
}

}  // namespace sft
