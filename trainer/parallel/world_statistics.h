// BatchNorm's statistics over ranks: summed where a norm takes its batch from all of them, and where each rank has its
// own, made one before anybody looks at them.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "comm/communicator.h"
#include "trainer/models/blocks/batch_norm.h"
#include "trainer/models/parameter.h"

namespace sft {

class WorldStatistics : public BatchStatistics {
 public:
  // Borrows `world`, which joins tensors of the model's device.
  explicit WorldStatistics(Communicator& world) : world_(world) {}
  void sum(at::Tensor& values) override;

 private:
  Communicator& world_;
};

// Running statistics that each rank has moved by its own micro-batches since the last call become, on every rank, what
// they were plus the mean of the moves, weighted by how many samples each rank had. Statistics that no rank has moved
// keep their bits. Counts take the largest move.
class RunningStatistics {
 public:
  // The values of `buffers` are the same on all ranks now; `world` joins tensors of their device. Without buffers
  // nothing is ever sent.
  RunningStatistics(const Parameters& buffers, Communicator& world);

  void join(double samples);  // every rank calls, after each update; `samples` of this rank's share
  void restart();             // the buffers were loaded anew

 private:
  // On the buffers' device.
  at::Tensor flat() const;    // float64, of all that are no counts
  at::Tensor counts() const;  // int64

  Communicator& world_;
  std::vector<at::Tensor> reals_, counts_;
  at::Tensor before_, counts_before_;
};

}  // namespace sft
