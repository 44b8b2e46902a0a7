// How ranks agree on one update. Five verbs carry every strategy, around the backward passes that are announced to it:
//   fold     close a part of this rank's share
//   reduce   combine the gradients of all ranks
//   clip     bound their global norm, and return it
//   owned    the slices that this rank updates
//   publish  let every rank see what the others updated, before it looks
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "trainer/models/stage_watch.h"
#include "trainer/optim/arena.h"
#include "trainer/parallel/parallel_config.h"

namespace sft {

class GradientSync {
 public:
  virtual ~GradientSync() = default;

  // The share of this rank in a global batch begins: so many backward passes come before reduce(). Every rank calls.
  virtual void begin(int64_t passes);
  // The next of them begins, of a strategy that sends gradients in each.
  virtual void pass();

  // While the token lives, a bucket whose gradients are all written may leave at once; for the last
  // micro-batch of a share. Buckets leave in one fixed order on every rank.
  class Overlap {
   public:
    virtual ~Overlap() = default;
  };
  virtual std::unique_ptr<Overlap> overlap() = 0;

  // The gradients written since the last fold are those of one part of this rank's share. Parts are added as a balanced
  // binary tree, so that their sum does not depend on which ranks hold them.
  virtual void fold() = 0;

  // Launches what has not left yet, in the same order, and waits. Afterwards the gradients of
  // the owned slices in the arena are the sum over ranks.
  virtual void reduce() = 0;

  // Scales gradients by min(1, max_norm / (norm + 1e-6)) and returns the norm before; max_norm 0 only measures. A
  // scalar tensor on the device: nothing waits for it.
  virtual at::Tensor clip(double max_norm) = 0;

  // Slices of the arena, ascending, each of one group: all of it, or where it is spread over ranks, parts that cover it
  // once.
  virtual const std::vector<Slice>& owned() const = 0;
  virtual bool is_spread() const { return false; }  // the same on every rank
  // May return before the weights have come: whoever reads them has told watch() of the stage, or holds whole().
  virtual void publish() = 0;

  // Told of each stage in the passes that are announced, before it reads its parameters; null: they are always there.
  virtual StageWatch* watch() { return nullptr; }

  // While the token lives this rank has all parameters, for whatever is no pass of an update: evaluation, saving,
  // loading, export. What was written to them is kept. Every rank calls.
  class Whole {
   public:
    virtual ~Whole() = default;
  };
  virtual std::unique_ptr<Whole> whole();

  // Since the reduce() before the last, over all passes that sent gradients: what those of the trained parameters take,
  // and the zeros between them that travelled along because every parameter starts on a 64-byte border.
  virtual int64_t bytes_reduced() const = 0;
  virtual int64_t padding_reduced() const = 0;

  // Trained parameters that no rank's backward reached in the batch of the last reduce(), in forward order. A
  // collective of a byte a parameter: for the first updates of a run.
  virtual std::vector<std::string> unreached() = 0;
};

// When a bucket leaves: during backward, beside which `world` is to work then, or in reduce().
enum class Leave { when_full, at_the_end };

// Every rank holds and updates everything. A share has `parts` parts, a power of two; where there are several, all
// buckets leave in reduce().
std::unique_ptr<GradientSync> make_replicated(Arena& arena, Communicator& world, int64_t bucket_bytes, Leave leave,
                                              int parts = 1);

// A rank updates its slice of every bucket (Rajbhandari et al. 2020, stage 1), whose gradients alone are sums.
std::unique_ptr<GradientSync> make_zero1(Arena& arena, Communicator& world, int64_t bucket_bytes, Leave leave,
                                         int parts = 1);

// And the arena keeps the gradients of that slice alone (stage 2): they travel in every backward pass. Ranks agree on
// the number of passes over `control`, which joins host values.
std::unique_ptr<GradientSync> make_zero2(Arena& arena, Communicator& world, Communicator& control, int64_t bucket_bytes,
                                         Leave leave);

// Which parameters the stages of a model read.
struct StageReads {
  // A stage that reads those of another one beside its own: a tied output layer, blocks that share their weights.
  struct Borrowing {
    int stage = 0;
    int from = 0;
  };
  std::vector<Borrowing> borrowings = {};
  // This stage and those above it run last, and their backward pass follows: Model::pooler_stage().
  int on_top = 1 << 30;
};

// And parameters (stage 3): those of a stage are gathered before it runs, forward and backward, and given back behind
// it.
std::unique_ptr<GradientSync> make_zero3(Arena& arena, Communicator& world, Communicator& control, int64_t bucket_bytes,
                                         Leave leave, const StageReads& reads = {});

struct SyncSettings {
  int64_t bucket_bytes = int64_t{1} << 20;
  Leave leave = Leave::at_the_end;
  int parts = 1;
  StageReads reads = {};
};
// The strategy that `config` names; zero2 and zero3 take one part.
std::unique_ptr<GradientSync> make_gradient_sync(const ParallelConfig& config, Arena& arena, Communicator& world,
                                                 Communicator& control, const SyncSettings& settings);

// ConfigError naming the parameters that are to be trained and got no gradient from a whole global batch; the same on
// every rank. Every rank calls it, after reduce().
void require_every_gradient(GradientSync& gradients);

// The memory of a contiguous tensor as a communicator's buffer.
Buffer buffer_of(const at::Tensor& tensor);

}  // namespace sft
