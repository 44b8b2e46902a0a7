// One micro-batch in host memory: columns packed sample after sample, never padded. The data floor knows no tensors:
// trainer/models/inputs.h moves a batch to a device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/samples/sample.h"

namespace sft {

using Offsets = std::vector<int64_t>;  // [B+1]: sample b has the entries offsets[b] … offsets[b+1] of an axis

struct Batch {
  Batch() = default;  // of no column
  explicit Batch(const Schema& schema);

  Schema schema;
  std::vector<Packed> columns;  // in the schema's order
  std::vector<Offsets> axes;    // of each of schema.axes()
  std::vector<float> weights;   // [B] sample weights, 1 where the data has none
  std::vector<int64_t> ids;     // [B] indices in the dataset
  std::vector<int64_t> rows;    // [B] which row of the input each sample was made of
  std::vector<int64_t> draws;   // [B] place in the global order of the whole run: epoch · size + position

  // batch.at("labels").as<int64_t>(). The column must be there.
  const Packed& at(const std::string& column) const;
  Packed& at(const std::string& column);
  const Offsets& offsets(const std::string& axis) const;  // the axis must be there

  // Cells, weight and row; ids and draws are of who chose the sample.
  void append(const Sample& sample);
  void clear();  // no sample is left

  int64_t size() const { return static_cast<int64_t>(weights.size()); }
  // What budgets and rates count: entries of the schema's units, or samples.
  int64_t num_units() const;
};

}  // namespace sft
