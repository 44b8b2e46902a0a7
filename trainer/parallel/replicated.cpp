// Data parallelism with everything on every rank: gradients are summed bucket by bucket, and each rank makes
// the same update.
//
// A hook on each parameter fires when autograd has written its gradient. A full bucket leaves only after all
// buckets before it, so the order is that of the arena on every rank, whatever order backward took there;
// a rank with nothing to do launches the same buckets in reduce().
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <cassert>
#include <functional>
#include <mutex>
#include <utility>

#include "trainer/parallel/buckets.h"
#include "trainer/parallel/gradient_norm.h"
#include "trainer/parallel/gradient_sync.h"
#include "trainer/parallel/part_tree.h"

namespace sft {
namespace {

namespace autograd = torch::autograd;

constexpr int64_t kFirstBucketBytes = 1 << 20;

void keep_for_ever(const at::Tensor& memory) {
  static std::mutex mutex;
  static auto* const kept = new std::vector<at::Tensor>;
  const std::lock_guard lock(mutex);
  kept->push_back(memory);
}

class GradientHook final : public autograd::PostAccumulateGradHook {
 public:
  explicit GradientHook(std::function<void()> written) : written_(std::move(written)) {}
  void operator()(const autograd::Variable&) override { written_(); }

 private:
  std::function<void()> written_;
};

class Replicated final : public GradientSync {
 public:
  Replicated(Arena& arena, Communicator& world, int64_t bucket_bytes, Leave leave, int parts)
      : arena_(arena),
        world_(world),
        leave_(parts > 1 ? Leave::at_the_end : leave),
        parts_(arena.gradients(), parts),
        slices_(arena.slices()),
        buckets_(cut_buckets(arena, std::min(kFirstBucketBytes, bucket_bytes), bucket_bytes)),
        reached_(arena.placed().size(), 0),
        missing_(buckets_.list.size()) {
    expect_all();
    for (size_t i = 0; i < arena_.placed().size(); ++i) {
      autograd::impl::set_post_acc_grad_hooks(arena_.placed()[i].parameter.value,
                                              std::make_unique<GradientHook>([this, i] { written(i); }));
    }
  }

  // Where an error comes between, a thread of the communicator may still be at a bucket, and will be until the process
  // ends: it is not waited for, because another rank may never come to it, and its memory stays.
  ~Replicated() override {
    if (!works_.empty()) keep_for_ever(arena_.gradients());
    for (const Placed& placed : arena_.placed())
      autograd::impl::set_post_acc_grad_hooks(placed.parameter.value, nullptr);
  }

  std::unique_ptr<GradientSync::Overlap> overlap() override { return std::make_unique<Token>(*this); }

  void fold() override { parts_.close_one(); }

  void reduce() override {
    while (works_.size() < buckets_.list.size()) launch_next();
    for (const auto& work : works_) work->wait();
    works_.clear();
    expect_all();
    reached_in_batch_ = std::exchange(reached_, std::vector<uint8_t>(reached_.size(), 0));
    has_reduced_ = true;
  }

  at::Tensor clip(double max_norm) override {
    const at::NoGradGuard no_graph;
    const at::Tensor norm = norm_of(arena_.gradients());
    if (max_norm > 0) scale_to_norm(arena_.gradients(), norm, max_norm);
    return norm;
  }

  const std::vector<Slice>& owned() const override { return slices_; }
  void publish() override {}

  int64_t bytes_reduced() const override { return has_reduced_ ? arena_.num_parameters() * element_bytes() : 0; }
  int64_t padding_reduced() const override {
    if (!has_reduced_) return 0;
    int64_t elements = 0;
    for (const Bucket& bucket : buckets_.list) elements += bucket.size;
    return elements * element_bytes() - bytes_reduced();
  }

  std::vector<std::string> unreached() override {
    const auto num_parameters = static_cast<int64_t>(reached_in_batch_.size());
    const at::Tensor mine = at::from_blob(reached_in_batch_.data(), {num_parameters}, at::kByte);
    at::Tensor reached = mine.to(arena_.values().device(), at::kByte, /*non_blocking=*/false, /*copy=*/true);
    world_.all_reduce(buffer_of(reached), Reduction::max);
    reached = reached.cpu();

    std::vector<std::string> names;
    for (int64_t i = num_parameters; i-- > 0;) {
      const auto place = static_cast<size_t>(i);
      if (reached.const_data_ptr<uint8_t>()[i] == 0) names.push_back(arena_.placed()[place].parameter.name);
    }
    return names;
  }

 private:
  class Token final : public GradientSync::Overlap {
   public:
    explicit Token(Replicated& owner) : owner_(owner) { owner_.overlapping_ = true; }
    ~Token() override { owner_.overlapping_ = false; }

   private:
    Replicated& owner_;
  };

  // Called by autograd once a backward for each parameter that got a gradient, by one thread at a time.
  void written(size_t i) {
    reached_[i] = 1;
    if (!overlapping_ || leave_ == Leave::at_the_end) return;
    const auto bucket = static_cast<size_t>(buckets_.of_placed[i]);
    assert(bucket >= works_.size() && "a gradient was written after its bucket had left");
    --missing_[bucket];
    while (works_.size() < missing_.size() && missing_[works_.size()] == 0) launch_next();
  }

  void launch_next() {
    const Bucket& bucket = buckets_.list[works_.size()];
    works_.push_back(world_.start_all_reduce(buffer_of(arena_.gradients().narrow(0, bucket.offset, bucket.size))));
  }

  void expect_all() {
    for (size_t i = 0; i < missing_.size(); ++i) missing_[i] = buckets_.list[i].num_parameters;
  }

  int64_t element_bytes() const { return static_cast<int64_t>(arena_.gradients().element_size()); }

  Arena& arena_;
  Communicator& world_;
  Leave leave_;
  PartTree parts_;
  std::vector<Slice> slices_;
  Buckets buckets_;
  std::vector<uint8_t> reached_;              // a flag a placed parameter, since the last reduce()
  std::vector<uint8_t> reached_in_batch_;     // before it
  std::vector<int> missing_;                  // gradients that a bucket still waits for
  std::vector<std::unique_ptr<Work>> works_;  // of the buckets that have left, in order
  bool overlapping_ = false;
  bool has_reduced_ = false;
};

}  // namespace

std::unique_ptr<GradientSync> make_replicated(Arena& arena, Communicator& world, int64_t bucket_bytes, Leave leave,
                                              int parts) {
  return std::make_unique<Replicated>(arena, world, bucket_bytes, leave, parts);
}

}  // namespace sft
