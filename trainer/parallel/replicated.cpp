// Data parallelism with everything on every rank: gradients are summed bucket by bucket, and each rank makes
// the same update.
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "trainer/parallel/bucketed.h"
#include "trainer/parallel/gradient_norm.h"
#include "trainer/parallel/part_tree.h"

namespace sft {
namespace {

class Replicated final : public Bucketed {
 public:
  Replicated(Arena& arena, Communicator& world, int64_t bucket_bytes, Leave leave, int parts)
      : Bucketed(arena, world, cut_buckets(arena, std::min(kFirstBucketBytes, bucket_bytes), bucket_bytes),
                 parts > 1 ? Leave::at_the_end : leave),
        parts_(arena.gradients(), parts),
        slices_(arena.slices()) {}
  ~Replicated() override {
    if (!works_.empty()) keep_for_ever(arena_.gradients());
  }

  void fold() override { parts_.close_one(); }

  at::Tensor clip(double max_norm) override {
    const at::NoGradGuard no_graph;
    const at::Tensor norm = norm_of(arena_.gradients());
    if (max_norm > 0) scale_to_norm({arena_.gradients()}, norm, max_norm);
    return norm;
  }

  const std::vector<Slice>& owned() const override { return slices_; }
  void publish() override {}

 private:
  void launch(size_t k) override {
    const Bucket& bucket = buckets_.list[k];
    works_.push_back(world_.start_all_reduce(buffer_of(arena_.gradients().narrow(0, bucket.offset, bucket.size))));
  }

  void settle() override {
    for (const auto& work : works_) work->wait();
    works_.clear();
  }

  PartTree parts_;
  std::vector<Slice> slices_;
  std::vector<std::unique_ptr<Work>> works_;  // of the buckets that have left, in order
};

}  // namespace

std::unique_ptr<GradientSync> make_replicated(Arena& arena, Communicator& world, int64_t bucket_bytes, Leave leave,
                                              int parts) {
  return std::make_unique<Replicated>(arena, world, bucket_bytes, leave, parts);
}

}  // namespace sft
