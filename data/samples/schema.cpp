#include "data/samples/schema.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>

#include "base/errors.h"
#include "base/text.h"

namespace sft {
namespace {

constexpr std::array kNumbers = {"uint8", "int32", "int64", "float32"};
constexpr std::array kRoles = {"input", "target", "note"};

template <class Kind>
std::optional<Kind> named(const auto& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return {};
  return static_cast<Kind>(found - names.begin());
}

}  // namespace

int64_t bytes_of(Number number) {
  switch (number) {
    case Number::uint8:
      return 1;
    case Number::int32:
    case Number::float32:
      return 4;
    case Number::int64:
      break;
  }
  return 8;
}

const char* name_of(Number number) { return kNumbers[static_cast<size_t>(number)]; }
std::optional<Number> number_named(std::string_view name) { return named<Number>(kNumbers, name); }

const char* name_of(Role role) { return kRoles[static_cast<size_t>(role)]; }
std::optional<Role> role_named(std::string_view name) { return named<Role>(kRoles, name); }

int64_t Column::entry_numbers() const {
  int64_t numbers = 1;
  for (const int64_t size : shape) numbers *= size;
  return numbers;
}

bool Column::may_lack() const {
  return role == Role::target && !axis.empty() && (number == Number::int32 || number == Number::int64);
}

size_t Schema::place(const std::string& name) const {
  const auto found = std::ranges::find(columns, name, &Column::name);
  return found == columns.end() ? SIZE_MAX : static_cast<size_t>(found - columns.begin());
}

const Column* Schema::find(const std::string& name) const {
  const size_t found = place(name);
  return found == SIZE_MAX ? nullptr : &columns[found];
}

const Column& Schema::at(const std::string& name) const {
  const Column* found = find(name);
  assert(found != nullptr);
  return *found;
}

StringList Schema::axes() const {
  StringList found;
  for (const Column& column : columns) {
    if (!column.axis.empty() && std::ranges::find(found, column.axis) == found.end()) found.push_back(column.axis);
  }
  return found;
}

std::string describe(const Column& column) {
  StringList sizes;
  for (const int64_t size : column.shape) sizes.push_back(size == 0 ? "…" : std::to_string(size));
  return concat(in_quotes(column.name), " (", name_of(column.number),
                sizes.empty() ? "" : concat(" [", join(sizes, ", "), "]"),
                column.axis.empty() ? "" : " along " + column.axis, ")");
}

std::string describe(const Schema& schema) {
  StringList parts;
  for (const Column& column : schema.columns) parts.push_back(describe(column));
  return join(parts, ", ");
}

namespace {

bool is_like(const Column& found, const Column& wanted) {
  if (found.number != wanted.number || found.axis != wanted.axis) return false;
  return std::ranges::equal(found.shape, wanted.shape,
                            [](int64_t size, int64_t needed) { return needed == 0 || size == needed; });
}

}  // namespace

void require(const Schema& schema, const Needs& needs, const std::string& whose) {
  for (const auto& [wanted, if_there] : needs) {
    const Column* found = schema.find(wanted.name);
    if (found == nullptr && if_there) continue;
    if (found == nullptr || !is_like(*found, wanted))
      throw DataError(concat(whose, " has no column ", describe(wanted), ", which is wanted here; it has ",
                             describe(schema), ". Prepare it again from the raw file"));
    if (wanted.bound > 0 && found->bound > wanted.bound)
      throw DataError(concat(whose, ": column ", in_quotes(wanted.name), " holds numbers up to ", found->bound - 1,
                             ", and up to ", wanted.bound - 1, " they are known"));
  }
}

}  // namespace sft
