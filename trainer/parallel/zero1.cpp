// ZeRO-1: every rank holds all gradients, sums those that it owns, and keeps the optimizer's state of these alone.
#include "trainer/parallel/part_tree.h"
#include "trainer/parallel/sharded.h"

namespace sft {
namespace {

class Zero1 final : public Sharded {
 public:
  Zero1(Arena& arena, Communicator& world, int64_t bucket_bytes, Leave leave, int parts)
      : Sharded(arena, world, even_buckets(arena, world, bucket_bytes), parts > 1 ? Leave::at_the_end : leave),
        parts_(arena.gradients(), parts) {}
  ~Zero1() override {
    if (!works_.empty()) keep_for_ever(arena_.gradients());
  }

  void fold() override { parts_.close_one(); }

 private:
  void launch(size_t k) override {
    const Bucket& bucket = buckets_.list[k];
    works_.push_back(start_sum(k, arena_.gradients().narrow(0, bucket.offset, bucket.size)));
  }

  void settle() override {
    for (const auto& work : works_) work->wait();
    works_.clear();
  }

  PartTree parts_;
  std::vector<std::unique_ptr<Work>> works_;  // of the buckets that have left, in order
};

}  // namespace

std::unique_ptr<GradientSync> make_zero1(Arena& arena, Communicator& world, int64_t bucket_bytes, Leave leave,
                                         int parts) {
  return std::make_unique<Zero1>(arena, world, bucket_bytes, leave, parts);
}

}  // namespace sft
