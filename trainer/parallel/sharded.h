// What ZeRO's stages have in common (Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter
// Models", 2020): a rank owns the same part of every bucket, updates that alone, and gathers what the others updated.
#pragma once

#include <vector>

#include "trainer/parallel/bucketed.h"

namespace sft {

class Sharded : public Bucketed {
 public:
  Sharded(Arena& arena, Communicator& world, int64_t bucket_bytes, Leave leave);
  ~Sharded() override {
    if (!gathers_.empty()) keep_for_ever(arena_.values());
  }

  at::Tensor clip(double max_norm) override;
  const std::vector<Slice>& owned() const override { return slices_; }
  bool is_spread() const override { return world_.size() > 1; }
  void publish() override;

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

  std::vector<Run> runs_;                       // of each bucket
  std::vector<Slice> slices_;                   // the runs, cut where groups change
  std::vector<std::unique_ptr<Work>> gathers_;  // of weights, that are under way
};

}  // namespace sft
