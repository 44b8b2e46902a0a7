// Weights that were updated elsewhere come late: over a communicator whose gathers leave NaN in place of what peers
// bring until somebody waits for them.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "comm/make_communicator.h"
#include "comm/observed.h"
#include "tests/trainer/parallel/network.h"
#include "trainer/optim/groups.h"
#include "trainer/optim/optimizer.h"
#include "trainer/parallel/gradient_sync.h"

namespace sft {
namespace {

// Of float64 in host memory.
class Late final : public Observed {
 public:
  explicit Late(std::unique_ptr<Communicator> inner) : Observed(std::move(inner)) {}

  std::unique_ptr<Work> start_all_gather(Buffer shard, Buffer values) override {
    at::Tensor mine = view_of(shard).clone(), arrived = view_of(values).clone();
    inner().all_gather(buffer_of(mine), buffer_of(arrived));
    view_of(values).fill_(std::numeric_limits<double>::quiet_NaN());
    view_of(values).narrow(0, rank() * shard.count, shard.count).copy_(mine);
    return std::make_unique<Arrival>(view_of(values), arrived);
  }

 private:
  class Arrival final : public Work {
   public:
    Arrival(at::Tensor values, at::Tensor arrived) : values_(std::move(values)), arrived_(std::move(arrived)) {}
    void wait() override { values_.copy_(arrived_); }

   private:
    at::Tensor values_, arrived_;
  };

  static at::Tensor view_of(const Buffer& buffer) {
    return at::from_blob(buffer.data, {buffer.count}, at::TensorOptions(at::kDouble));
  }
  void begin(const Operation&) override {}
  void end(const Operation&) noexcept override {}
  std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> part) override { return part; }
};

std::vector<double> norms_of(Communicator& world, const std::string& strategy, bool lets_one_rank_rest) {
  const Network network(at::kDouble, false, {.inputs = 60, .hidden = 200, .classes = 45});
  const Grouping grouping = group_parameters(adamw(), network.trained, 1);
  Arena arena(network.trained, grouping.group_of);
  const auto gradients = make_gradient_sync(
      {strategy}, arena, world, world,
      {.bucket_bytes = 1 << 14, .leave = Leave::when_full, .reads = {.borrowings = {}, .on_top = 3}});
  const auto optimizer = make_optimizer(adamw(), arena, grouping.groups, gradients->owned());
  std::vector<double> norms;
  for (int64_t step = 0; step < 4; ++step) {
    const bool works = !lets_one_rank_rest || world.rank() != step % world.size();
    arena.zero_gradients();
    gradients->begin(works ? 1 : 0);
    if (works) {
      gradients->pass();
      const auto overlap = gradients->overlap();
      network.loss_sum(step, 4 * world.rank(), 4 * world.rank() + 4, gradients->watch()).backward();
    }
    gradients->reduce();
    norms.push_back(gradients->clip(0.05).item<double>());
    optimizer->step(1e-2);
    gradients->publish();
  }
  const auto whole = gradients->whole();
  double sum = 0;
  for (const Placed& placed : arena.placed()) sum += placed.parameter.value.detach().abs().sum().item<double>();
  norms.push_back(sum);
  return norms;
}

// Seen to fail: a stage that does not wait, an evaluation that does not.
TEST(Arrivals, AreWaitedForByWhoReadsThem) {
  for (const bool one_rests : {false, true})
    spawn_ranks(3, [&](Communicator& threads) {
      const std::vector<double> expected = norms_of(threads, "replicated", one_rests);
      for (const char* strategy : {"zero1", "zero2", "zero3"}) {
        Late world(threads.split(0, threads.rank()));
        const std::vector<double> found = norms_of(world, strategy, one_rests);
        ASSERT_EQ(found.size(), expected.size());
        for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-10) << strategy << ", " << i;
      }
    });
}

}  // namespace
}  // namespace sft
