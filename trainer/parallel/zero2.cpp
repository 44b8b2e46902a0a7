// ZeRO-2: as ZeRO-1, and a rank keeps the gradients that it owns alone. Each backward pass fills buckets that exist
// from their first gradient until their sum is added to what is kept, so that a pass is a round of buckets; ranks with
// fewer passes send zeros in the rounds that they lack.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cassert>
#include <deque>

#include "comm/agree.h"
#include "trainer/parallel/sharded.h"

namespace sft {
namespace {

class Zero2 final : public Sharded {
 public:
  Zero2(Arena& arena, Communicator& world, Communicator& control, int64_t bucket_bytes, Leave leave)
      : Sharded(arena, world, bucket_bytes, leave), control_(control), filling_(buckets_.list.size()) {
    arena_.keep_gradients_of(owned());
  }
  ~Zero2() override {
    for (const Flight& flight : flights_) keep_for_ever(flight.gradients);
  }

  void begin(int64_t passes) override {
    passes_ = max(control_, passes);
    passed_ = 0;
  }

  void pass() override {
    end_pass();
    ++passed_;
    in_pass_ = true;
  }

  void fold() override {}  // a share is one part

 private:
  // A bucket whose sum is under way.
  struct Flight {
    size_t bucket;
    at::Tensor gradients;
    std::unique_ptr<Work> work;
  };
  static constexpr size_t kMostFlights = 2;

  void end_pass() {
    if (!in_pass_) return;
    in_pass_ = false;
    launch_rest();
    begin_round();
    // What computes next may use other communicators, beside which nothing of this one is to be under way.
    if (leave_ == Leave::at_the_end) settle();
  }

  void send() override {
    end_pass();
    while (passed_ < passes_) pass();
    end_pass();
    settle();
  }

  bool may_leave() const override { return in_pass_ && leave_ == Leave::when_full; }

  void written(size_t placed) override {
    assert(in_pass_ && "a backward pass that was not announced");
    Sharded::written(placed);
    arena_.placed()[placed].parameter.value.mutable_grad().reset();
  }

  void take(size_t placed, size_t k) override {
    const Placed& parameter = arena_.placed()[placed];
    const at::Tensor& gradient = parameter.parameter.value.grad();
    if (!gradient.defined()) return;
    const at::NoGradGuard no_graph;
    const Bucket& bucket = buckets_.list[k];
    const int64_t first = std::max(parameter.offset, bucket.offset);
    const int64_t last = std::min(parameter.offset + parameter.size, bucket.offset + bucket.size);
    filled(k)
        .narrow(0, first - bucket.offset, last - first)
        .add_(gradient.reshape({-1}).narrow(0, first - parameter.offset, last - first));
  }

  at::Tensor& filled(size_t k) {
    at::Tensor& gradients = filling_[k];
    if (!gradients.defined())
      gradients = at::zeros({buckets_.list[k].size}, arena_.values().options().requires_grad(false));
    return gradients;
  }

  void launch(size_t k) override {
    Flight flight{k, filled(k), nullptr};
    filling_[k].reset();
    flight.work = start_sum(k, flight.gradients);
    flights_.push_back(std::move(flight));
    while (flights_.size() > kMostFlights) land();
  }

  void land() {
    const at::NoGradGuard no_graph;
    const Flight& flight = flights_.front();
    flight.work->wait();
    const Run& run = own(flight.bucket);
    if (run.size > 0)
      arena_.gradient(run.offset, run.size)
          .add_(flight.gradients.narrow(0, run.offset - buckets_.list[flight.bucket].offset, run.size));
    flights_.pop_front();
  }

  void settle() override {
    while (!flights_.empty()) land();
  }

  Communicator& control_;
  std::vector<at::Tensor> filling_;  // by bucket, undefined before its first gradient
  std::deque<Flight> flights_;       // in the order in which they left
  int64_t passes_ = 0, passed_ = 0;  // of this global batch: of the rank with the most, and so far
  bool in_pass_ = false;
};

}  // namespace

std::unique_ptr<GradientSync> make_zero2(Arena& arena, Communicator& world, Communicator& control, int64_t bucket_bytes,
                                         Leave leave) {
  return std::make_unique<Zero2>(arena, world, control, bucket_bytes, leave);
}

}  // namespace sft
