// One sample on its way into a shard.
#pragma once

#include <cstdint>
#include <vector>

#include "data/samples/packed.h"

namespace sft {

struct Sample {
  explicit Sample(const Schema& schema) {
    for (const Column& column : schema.columns) cells.emplace_back(column.number);
  }

  std::vector<Packed> cells;  // the numbers of each column, in the schema's order
  float weight = 1.0f;
  int64_t row = 0;  // which row of the input it was made of
};

}  // namespace sft
