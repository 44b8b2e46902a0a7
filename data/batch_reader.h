// Reads chosen samples into a packed micro-batch.
#pragma once

#include <vector>

#include "data/batch.h"
#include "data/dataset.h"
#include "data/packer.h"

namespace sft {

class BatchReader {
 public:
  explicit BatchReader(const Dataset& dataset) : dataset_(dataset) {}

  // The items in their order; the draw of an item is `first_draw` + its position. Not from several threads at once.
  Batch read(const std::vector<Item>& items, int64_t first_draw);

 private:
  void append_target(Batch& batch) const;

  const Dataset& dataset_;
  Example example_;  // reused
};

}  // namespace sft
