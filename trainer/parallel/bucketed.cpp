#include "trainer/parallel/bucketed.h"

#include <ATen/ops/from_blob.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <functional>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace sft {

namespace autograd = torch::autograd;

namespace {

class GradientHook final : public autograd::PostAccumulateGradHook {
 public:
  explicit GradientHook(std::function<void()> written) : written_(std::move(written)) {}
  void operator()(const autograd::Variable&) override { written_(); }

 private:
  std::function<void()> written_;
};

}  // namespace

class Bucketed::Token final : public GradientSync::Overlap {
 public:
  explicit Token(Bucketed& owner) : owner_(owner) { owner_.overlapping_ = true; }
  ~Token() override { owner_.overlapping_ = false; }

 private:
  Bucketed& owner_;
};

Bucketed::Bucketed(Arena& arena, Communicator& world, Buckets buckets, Leave leave)
    : arena_(arena),
      world_(world),
      buckets_(std::move(buckets)),
      leave_(leave),
      missing_(buckets_.list.size()),
      reached_(arena.placed().size(), 0) {
  begin_round();
  for (size_t i = 0; i < arena_.placed().size(); ++i)
    autograd::impl::set_post_acc_grad_hooks(arena_.placed()[i].parameter.value,
                                            std::make_unique<GradientHook>([this, i] { written(i); }));
}

Bucketed::~Bucketed() {
  for (const Placed& placed : arena_.placed()) autograd::impl::set_post_acc_grad_hooks(placed.parameter.value, nullptr);
}

std::unique_ptr<GradientSync::Overlap> Bucketed::overlap() { return std::make_unique<Token>(*this); }

void Bucketed::reduce() {
  send();
  reached_in_batch_ = std::exchange(reached_, std::vector<uint8_t>(reached_.size(), 0));
  rounds_in_batch_ = std::exchange(rounds_, 0);
}

void Bucketed::send() {
  launch_rest();
  settle();
  begin_round();
}

int64_t Bucketed::padding_reduced() const {
  int64_t elements = 0;
  for (const Bucket& bucket : buckets_.list) elements += bucket.size;
  return rounds_in_batch_ * elements * element_bytes() - bytes_reduced();
}

std::vector<std::string> Bucketed::unreached() {
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

void Bucketed::written(size_t placed) {
  reached_[placed] = 1;
  const auto [first, last] = buckets_.of_placed[placed];
  for (size_t k = first; k <= last; ++k) {
    take(placed, k);
    if (k < left_) throw std::logic_error("a gradient was written after its bucket had left");
    if (!may_leave()) continue;
    --missing_[k];
    while (left_ < missing_.size() && missing_[left_] == 0) launch(left_++);
  }
}

void Bucketed::take(size_t, size_t) {}

void Bucketed::launch_until(size_t end) {
  while (left_ < end) launch(left_++);
}

void Bucketed::launch_rest() {
  launch_until(buckets_.list.size());
  ++rounds_;
}

void Bucketed::begin_round() {
  left_ = 0;
  for (size_t k = 0; k < missing_.size(); ++k) missing_[k] = buckets_.list[k].num_parameters;
}

void keep_for_ever(const at::Tensor& memory) {
  static std::mutex mutex;
  static auto* const kept = new std::vector<at::Tensor>;
  const std::lock_guard lock(mutex);
  kept->push_back(memory);
}

}  // namespace sft
