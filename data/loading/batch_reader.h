// Reads chosen samples into a packed micro-batch.
#pragma once

#include <vector>

#include "data/loading/augment.h"
#include "data/loading/packer.h"
#include "data/samples/dataset.h"

namespace sft {

class BatchReader {
 public:
  explicit BatchReader(const Dataset& dataset, const Augmentation& augmentation = {})
      : dataset_(dataset), augmentation_(augmentation), seen_(seen_through(augmentation, dataset.schema())) {}

  // The items in their order; the draw of an item is `first_draw` + its position.
  Batch read(const std::vector<Item>& items, int64_t first_draw) const;

 private:
  void reserve(const std::vector<Item>& items, Batch& batch) const;
  void append_cropped(int64_t index, Batch& batch) const;
  void change_pictures(Batch& batch) const;

  const Dataset& dataset_;
  Augmentation augmentation_;  // of pictures
  Schema seen_;                // of batches
};

}  // namespace sft
