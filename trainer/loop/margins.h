// How far the given label of each training row was ahead of the others, epoch by epoch, from the forward passes that
// training makes anyway: rows whose label is wrong are doubted in most epochs.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "data/samples/batch.h"
#include "trainer/metrics/row_margins.h"

namespace sft {

inline constexpr char kMarginsFile[] = "margins.bin";  // in a checkpoint

class Margins {
 public:
  explicit Margins(int64_t num_samples) : num_samples_(num_samples) {}

  // Of a training batch on this rank, logits [B, labels]; its column "labels" has the given ones. Waits for the
  // device at every 64th batch alone.
  void add(const at::Tensor& logits_BK, const Batch& batch);

  // Every rank calls: what all have added since is on rank 0 from then on.
  void gather(Communicator& control);

  // Of a sample on rank 0, an entry an epoch.
  std::vector<RowMargin> of(int64_t sample) const;

  // What gather() left on rank 0, for a checkpoint, and back from its directory; where that has no such file, the
  // epochs before are not known. DataError where the file is of another number of rows.
  std::string to_bytes() const;
  void restore(const std::string& checkpoint_directory);

 private:
  void settle();

  int64_t num_samples_;
  std::vector<std::pair<int64_t, int64_t>> draws_;  // (draw, sample) of each row of settled_, then of given_
  std::vector<at::Tensor> given_;                   // [B, 4] each: the members of RowMargin as float64, on the device
  std::vector<double> settled_;                     // likewise, in host memory
  std::vector<std::vector<RowMargin>> epochs_;      // [epochs][samples]; rank 0's
};

}  // namespace sft
