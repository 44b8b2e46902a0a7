// The sample at each place of an epoch: a pure function of (seed, epoch, position) over the global
// order. A sampler knows no ranks, so the same samples make the same update on any number of ranks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "data/samples/dataset.h"
#include "data/samples/peers.h"

namespace sft {

// Where a run stands in its data. `position` is the next place of `epoch`; a finished epoch is
// position 0 of the next.
struct Cursor {
  uint64_t seed = 0;
  int64_t epoch = 0;
  int64_t position = 0;
  bool operator==(const Cursor&) const = default;
};

class Sampler {
 public:
  virtual ~Sampler() = default;
  virtual int64_t size() const = 0;  // places in an epoch
  virtual int64_t index(int64_t epoch, int64_t position) const = 0;
};

// strategy: random | sequential | group_by_length (sorted inside megabatches of 50 global batches, batches then
// shuffled) | balanced | weighted (data/loading/draws.h). `dataset` is borrowed. For the last two every rank calls
// this: labels or weights are read once, by each rank its share, and kept on all of them. ConfigError where there are
// no weights, DataError where nothing can be drawn; both on every rank.
std::unique_ptr<Sampler> make_sampler(const std::string& strategy, const Dataset& dataset, uint64_t seed,
                                      int64_t global_batch_size, const Peers& peers = alone());

}  // namespace sft
