// What ZeRO's stages have in common (Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter
// Models", 2020): a rank owns the same part of every bucket, updates that alone, and gathers what the others updated.
#pragma once

#include <vector>

#include "trainer/parallel/bucketed.h"

namespace sft {

// Weights that were updated come from their owners while what comes next goes on: on a device, where they queue up
// behind the update, from publish() on; in host memory, where MPI allows one thread at a time, from the begin() of the
// next batch. A stage waits for its own. They travel from the end of the arena, which the lowest stages stand at.
class Sharded : public Bucketed, public StageWatch {
 public:
  Sharded(Arena& arena, Communicator& world, Buckets buckets, Leave leave);
  ~Sharded() override;

  void begin(int64_t passes) override;
  void reduce() override;

  at::Tensor clip(double max_norm) override;
  const std::vector<Slice>& owned() const override { return slices_; }
  bool is_spread() const override { return world_.size() > 1; }
  void publish() override;
  StageWatch* watch() override { return this; }
  std::unique_ptr<Whole> whole() override;

  void before(int stage) override;
  void after(int) override {}
  void before_backward(int) override {}

 protected:
  // What a rank owns of bucket k, in elements of the arena: the equal shard of its number, or the whole bucket, which
  // is then too small to be shared out, on the last rank. An empty run elsewhere.
  struct Run {
    int64_t offset = 0, size = 0;
  };
  const Run& own(size_t k) const { return runs_[k]; }
  bool is_shared_out(size_t k) const { return buckets_.list[k].size % unit() == 0; }

  // Starts the sum of a bucket whose gradients lie in `flat` [size of the bucket]; own(k)'s part of it holds the sum
  // behind the wait.
  std::unique_ptr<Work> start_sum(size_t k, const at::Tensor& flat);

 private:
  // Shards begin and end with rows of the norm, which are whole cache lines too.
  int64_t unit() const;
  void start_gathers();
  void await_bucket(size_t k);
  void await_weights();  // of all stages; starts them where nobody has

  std::vector<Run> runs_;                       // of each bucket
  std::vector<Slice> slices_;                   // the runs, cut where groups change
  std::vector<std::unique_ptr<Work>> gathers_;  // of each bucket's weights; null: they are here
  bool is_stale_ = false;                       // others have updated weights, and no gather of them was started
};

// The buckets of a strategy of ZeRO that keeps all parameters.
Buckets even_buckets(const Arena& arena, const Communicator& world, int64_t bucket_bytes);
// Elements of the arena of which a bucket is a multiple.
int64_t bucket_unit(const Communicator& world);

}  // namespace sft
