// How ranks agree on one update. Four verbs carry every strategy:
//   reduce   combine the gradients of all ranks
//   clip     bound their global norm, and return it
//   owned    the slices that this rank updates
//   publish  let every rank see what the others updated
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "trainer/optim/arena.h"

namespace sft {

class GradientSync {
 public:
  virtual ~GradientSync() = default;

  // While the token lives, a bucket whose gradients are all written leaves at once; for the last
  // micro-batch of a share. Buckets leave in one fixed order on every rank.
  class Overlap {
   public:
    virtual ~Overlap() = default;
  };
  virtual std::unique_ptr<Overlap> overlap() = 0;

  // Launches what has not left yet, in the same order, and waits. Afterwards gradients() of the arena
  // is the sum over ranks, on every rank.
  virtual void reduce() = 0;

  // Scales gradients by min(1, max_norm / (norm + 1e-6)) and returns the norm before; max_norm 0 only measures. A
  // scalar tensor on the device: nothing waits for it.
  virtual at::Tensor clip(double max_norm) = 0;

  virtual const std::vector<Slice>& owned() const = 0;
  virtual void publish() = 0;

  virtual int64_t bytes_reduced() const = 0;  // by the last reduce()
};

std::unique_ptr<GradientSync> make_replicated(Arena& arena, Communicator& world, int64_t bucket_bytes);

// The memory of a contiguous tensor as a communicator's buffer.
Buffer buffer_of(const at::Tensor& tensor);

}  // namespace sft
