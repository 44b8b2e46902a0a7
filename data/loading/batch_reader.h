// Reads chosen samples into a packed micro-batch.
#pragma once

#include <vector>

#include "data/loading/augment.h"
#include "data/loading/packer.h"
#include "data/samples/batch.h"
#include "data/samples/dataset.h"

namespace sft {

class BatchReader {
 public:
  explicit BatchReader(const Dataset& dataset, const Augmentation& augmentation = {})
      : dataset_(dataset), augmentation_(augmentation) {}

  // The items in their order; the draw of an item is `first_draw` + its position. Not from several threads at once.
  Batch read(const std::vector<Item>& items, int64_t first_draw);

 private:
  void read_texts(const std::vector<Item>& items, int64_t first_draw, Batch& batch);
  void read_images(const std::vector<Item>& items, int64_t first_draw, Batch& batch);
  void take_target(const Item& item, int64_t first_draw, Batch& batch);
  void append_target(Batch& batch) const;

  const Dataset& dataset_;
  Augmentation augmentation_;  // of images
  Example example_;            // reused
};

}  // namespace sft
