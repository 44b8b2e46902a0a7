#include "trainer/tasks/recipes/row_notes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace sft {
namespace {

constexpr char kText[] = "text", kCharacters[] = "characters", kPlace[] = "place";
constexpr size_t kMostTextBytes = 240;

void put(const std::string& bytes, Packed& cell) { cell.set(std::vector<uint8_t>(bytes.begin(), bytes.end())); }

std::string bytes_of_sample(const Batch& batch, const char* column, size_t b) {
  const std::span<const uint8_t> bytes = batch.at(column).as<uint8_t>();
  const Offsets& offsets = batch.offsets(batch.schema.at(column).axis);
  return {bytes.begin() + offsets[b], bytes.begin() + offsets[b + 1]};
}

}  // namespace

std::string beginning_of(std::string_view text) {
  if (text.size() <= kMostTextBytes) return std::string(text);
  size_t end = kMostTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

const std::vector<Column>& row_notes() {
  static const std::vector<Column> columns{
      {.name = kText, .number = Number::uint8, .axis = "text_byte", .role = Role::note},
      {.name = kCharacters, .number = Number::int64, .role = Role::note},
      {.name = kPlace, .number = Number::uint8, .axis = "place_byte", .role = Role::note}};
  return columns;
}

bool has_row_notes(const Schema& schema) {
  return std::ranges::all_of(row_notes(), [&](const Column& note) {
    const Column* column = schema.find(note.name);
    return column != nullptr && column->number == note.number && column->shape == note.shape &&
           column->axis == note.axis;
  });
}

void put_row_notes(const TextRow& row, const Schema& schema, Sample& sample) {
  put(beginning_of(row.text()), sample.cells[schema.place(kText)]);
  sample.cells[schema.place(kCharacters)].set(num_characters(row.text()) + num_characters(row.pair));
  put(row.row->place(), sample.cells[schema.place(kPlace)]);
}

void tell_row_notes(const Batch& batch, size_t b, nlohmann::ordered_json& prediction) {
  prediction[kText] = bytes_of_sample(batch, kText, b);
  prediction[kCharacters] = batch.at(kCharacters).as<int64_t>()[b];
  prediction[kPlace] = bytes_of_sample(batch, kPlace, b);
}

}  // namespace sft
