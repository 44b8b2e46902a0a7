// Labels of a file that others wrote: class ids, or a matrix whose rows are all one-hot.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/guard.h"

namespace sft {

struct ForeignLabels {
  std::vector<int32_t> ids;  // a sample
  int64_t num_labels = 0;    // columns of a one-hot matrix, or the highest id + 1
  bool one_hot = false;
};

// DataError naming file, dataset and row where they are neither, or not one for each of `num_samples`.
ForeignLabels read_labels(const std::shared_ptr<const GuardedFile>& file, const hdf5::DatasetLayout& dataset,
                          int64_t num_samples);

}  // namespace sft
