// What a sample is: named columns. The middle of the house carries columns and asks no more; what a column is for is
// known at the two ends alone, by who writes it (a recipe) and by who reads it (a model, a task).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/schema.h"

namespace sft {

enum class Number { uint8, int32, int64, float32 };
int64_t bytes_of(Number number);
const char* name_of(Number number);  // "int32"
std::optional<Number> number_named(std::string_view name);

template <class T>
constexpr Number number_of();
template <>
constexpr Number number_of<uint8_t>() {
  return Number::uint8;
}
template <>
constexpr Number number_of<int32_t>() {
  return Number::int32;
}
template <>
constexpr Number number_of<int64_t>() {
  return Number::int64;
}
template <>
constexpr Number number_of<float>() {
  return Number::float32;
}

// In place of a target: this entry has none.
inline constexpr int32_t kNoTarget = -100;

// Who reads a column: a model; a task, which learns it; or people and writers of predictions. Along an axis a target
// may be kNoTarget. Notes stand outside the content hash.
enum class Role { input, target, note };
const char* name_of(Role role);
std::optional<Role> role_named(std::string_view name);

// "tokens": int32 along "token", below vocab_size. "labels": int64, one a sample. "mask": uint8 [H, W]. "boxes":
// float32 [5] along "box".
struct Column {
  std::string name;
  Number number = Number::int64;
  std::vector<int64_t> shape = {};  // of one entry; {}: one number
  std::string axis = {};            // "": one entry a sample; else as many as the sample has along this axis
  int64_t bound = 0;  // all are whole numbers, 0 … bound − 1; 0: not known. A file keeps int32 inputs below 65,536 in
                      // 2 bytes, and float32 below 256 in one
  Role role = Role::input;

  int64_t entry_numbers() const;
  int64_t entry_bytes() const { return entry_numbers() * bytes_of(number); }
  bool may_lack() const;  // kNoTarget may stand in it
  bool operator==(const Column&) const = default;
};

struct Schema {
  std::vector<Column> columns;  // in the order of the content hash, whose first column is the sample's size
  StringList units = {};        // the axes that budgets count, summed; none: budgets count samples

  // Null, and SIZE_MAX, where there is no column of that name.
  const Column* find(const std::string& name) const;
  size_t place(const std::string& name) const;
  const Column& at(const std::string& name) const;  // it must be there

  StringList axes() const;  // in the order in which columns name them first
  bool operator==(const Schema&) const = default;
};

// For people: "tokens (int32 along token)", and all of them with commas between.
std::string describe(const Column& column);
std::string describe(const Schema& schema);

// A column that a model or a task reads. In a need, a bound of 0 and a size of 0 stand for any.
struct Need {
  Column column;
  bool if_there = false;  // it may be missing
};
using Needs = std::vector<Need>;

// DataError naming the column where samples of `schema` cannot give what is needed. `whose`: "'train.h5'".
void require(const Schema& schema, const Needs& needs, const std::string& whose);

}  // namespace sft
