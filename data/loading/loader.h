// Loaders cut each global batch among ranks and pack this rank's share into micro-batches. Given the same
// sampler, the union of the shares over ranks is the same for any Shard::count.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/loading/augment.h"
#include "data/loading/sampler.h"
#include "data/samples/batch.h"
#include "data/samples/dataset.h"
#include "data/samples/peers.h"

namespace sft {

struct LoaderConfig {
  int64_t global_batch_size = 32;
  int64_t max_tokens = 8192;       // in a micro-batch; a longer sample stands alone in one
  int64_t max_samples = 0;         // in a micro-batch; 0: no bound
  int parts = 0;                   // of a global batch over all ranks, a multiple of their number; 0: one a rank
  int prefetch = 2;                // global batches read ahead by one background thread; 0: none
  Augmentation augmentation = {};  // of pictures
  bool even = false;               // as many micro-batches on every rank: the last ones of some are empty; samples
                                   // without a length
};

// Micro-batches whose gradients are summed one after the other; a part is empty where there are more parts than
// samples.
using Part = std::vector<Batch>;

// One global batch as one rank sees it.
struct Share {
  std::vector<Part> parts;     // equally many on every rank
  int64_t global_samples = 0;  // in the whole global batch
  int64_t group_tokens = 0;    // of the rows that were dealt out among this rank and some others
  Cursor next;                 // where the batch after this one begins
};

class Loader {
 public:
  virtual ~Loader() = default;
  virtual Share next() = 0;                       // goes on into the next epoch without end
  virtual void seek(const Cursor& cursor) = 0;    // O(1)
  virtual int64_t batches_per_epoch() const = 0;  // ceil(size / global_batch_size): the last is ragged, not dropped
};

// Borrows `dataset` and `sampler`. Samples of a group (packer.h) are dealt by length: longest first to the rank with
// the fewest tokens so far (ties to the lowest rank), so that ranks finish together; inside a micro-batch they are
// sorted by length, longest first. What a rank reads for a step does not grow with the number of ranks. An error of the
// reading thread is thrown by next().
std::unique_ptr<Loader> make_loader(const Dataset& dataset, const Sampler& sampler, Shard shard,
                                    const LoaderConfig& config, uint64_t seed);

struct EvalLoaderConfig {
  int64_t max_tokens = 8192;  // in a micro-batch
  int64_t max_samples = 64;
  int parts = 0;  // that the data is cut into over all ranks, a multiple of their number; 0: one a rank
};

// Evaluation's order: every sample of the shard's contiguous range, which ends with a row, exactly once, in
// micro-batches of at most max_samples and max_tokens. Reads as it goes.
class EvalLoader {
 public:
  virtual ~EvalLoader() = default;
  virtual bool next(Batch& out) = 0;  // false at the end
};
std::unique_ptr<EvalLoader> make_eval_loader(const Dataset& dataset, Shard shard, const EvalLoaderConfig& config);

}  // namespace sft
