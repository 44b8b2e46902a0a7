#include "trainer/parallel/zero2.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cassert>

#include "comm/agree.h"

namespace sft {

Zero2::Zero2(Arena& arena, Communicator& world, Communicator& control, Buckets buckets, Leave leave)
    : Sharded(arena, world, std::move(buckets), leave), control_(control), filling_(buckets_.list.size()) {
  arena_.keep_gradients_of(owned());
}

Zero2::~Zero2() {
  for (const Flight& flight : flights_) keep_for_ever(flight.gradients);
}

void Zero2::begin(int64_t passes) {
  passes_ = max(control_, passes);
  passed_ = 0;
  Sharded::begin(passes);
}

void Zero2::pass() {
  end_pass();
  ++passed_;
  in_pass_ = true;
}

void Zero2::end_pass() {
  if (!in_pass_) return;
  in_pass_ = false;
  launch_rest();
  begin_round();
  // What computes next may use other communicators, beside which nothing of this one is to be under way.
  if (leave_ == Leave::at_the_end) settle();
}

void Zero2::send() {
  end_pass();
  while (passed_ < passes_) {
    pass();
    lacking_pass();
  }
  end_pass();
  settle();
}

void Zero2::written(size_t placed) {
  assert(in_pass_ && "a backward pass that was not announced");
  Sharded::written(placed);
  arena_.placed()[placed].parameter.value.mutable_grad().reset();
}

void Zero2::take(size_t placed, size_t k) {
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

at::Tensor& Zero2::filled(size_t k) {
  at::Tensor& gradients = filling_[k];
  if (!gradients.defined())
    gradients = at::zeros({buckets_.list[k].size}, arena_.values().options().requires_grad(false));
  return gradients;
}

void Zero2::launch(size_t k) {
  Flight flight{k, filled(k), nullptr};
  filling_[k].reset();
  flight.work = start_sum(k, flight.gradients);
  flights_.push_back(std::move(flight));
  while (flights_.size() > kMostFlights) land();
}

void Zero2::land() {
  const at::NoGradGuard no_graph;
  const Flight& flight = flights_.front();
  flight.work->wait();
  const Run& run = own(flight.bucket);
  if (run.size > 0)
    arena_.gradient(run.offset, run.size)
        .add_(flight.gradients.narrow(0, run.offset - buckets_.list[flight.bucket].offset, run.size));
  flights_.pop_front();
}

void Zero2::settle() {
  while (!flights_.empty()) land();
}

std::unique_ptr<GradientSync> make_zero2(Arena& arena, Communicator& world, Communicator& control, int64_t bucket_bytes,
                                         Leave leave) {
  return std::make_unique<Zero2>(arena, world, control, even_buckets(arena, world, bucket_bytes), leave);
}

}  // namespace sft
