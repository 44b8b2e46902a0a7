#include "data/samples/batch.h"

#include <algorithm>
#include <cassert>

namespace sft {

Batch::Batch(const Schema& schema_) : schema(schema_), axes(schema_.axes().size(), Offsets{0}) {
  for (const Column& column : schema.columns) columns.emplace_back(column.number);
}

const Packed& Batch::at(const std::string& column) const {
  const size_t place = schema.place(column);
  assert(place < columns.size());
  return columns[place];
}

Packed& Batch::at(const std::string& column) { return const_cast<Packed&>(std::as_const(*this).at(column)); }

const Offsets& Batch::offsets(const std::string& axis) const {
  const StringList names = schema.axes();
  const auto found = std::ranges::find(names, axis);
  assert(found != names.end());
  return axes[static_cast<size_t>(found - names.begin())];
}

void Batch::append(const Sample& sample) {
  const StringList names = schema.axes();
  for (size_t a = 0; a < names.size(); ++a) {
    const size_t along =
        static_cast<size_t>(std::ranges::find(schema.columns, names[a], &Column::axis) - schema.columns.begin());
    const auto numbers = static_cast<int64_t>(sample.cells[along].size());
    axes[a].push_back(axes[a].back() + numbers / schema.columns[along].entry_numbers());
  }
  for (size_t c = 0; c < columns.size(); ++c) columns[c].append(sample.cells[c]);
  weights.push_back(sample.weight);
  rows.push_back(sample.row);
}

void Batch::clear() {
  for (Packed& column : columns) column.clear();
  for (Offsets& axis : axes) axis.assign(1, 0);
  weights.clear();
  for (std::vector<int64_t>* list : {&ids, &rows, &draws}) list->clear();
}

int64_t Batch::num_units() const {
  if (schema.units.empty()) return size();
  int64_t units = 0;
  for (const std::string& axis : schema.units) units += offsets(axis).back();
  return units;
}

}  // namespace sft
