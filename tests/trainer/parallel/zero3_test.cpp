// What ZeRO-3 holds, and when.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "comm/make_communicator.h"
#include "tests/trainer/parallel/network.h"
#include "trainer/optim/optimizer.h"
#include "trainer/parallel/gradient_sync.h"

namespace sft {
namespace {

// Bytes behind the parameters; views of one memory count once.
int64_t bytes_there(const Parameters& parameters) {
  std::set<const void*> seen;
  int64_t bytes = 0;
  for (const Parameter& parameter : parameters)
    if (seen.insert(parameter.value.storage().unsafeGetStorageImpl()).second)
      bytes += static_cast<int64_t>(parameter.value.storage().nbytes());
  return bytes;
}

// Passes all on, and looks at what is there behind each call.
class Weighing final : public StageWatch {
 public:
  Weighing(StageWatch& inner, const Parameters& parameters) : inner_(inner), parameters_(parameters) {}
  void before(int stage) override { inner_.before(stage), look(); }
  void after(int stage) override { inner_.after(stage), look(); }
  void before_backward(int stage) override { inner_.before_backward(stage), look(); }
  int64_t most() const { return most_; }

 private:
  void look() { most_ = std::max(most_, bytes_there(parameters_)); }

  StageWatch& inner_;
  const Parameters& parameters_;
  int64_t most_ = 0;
};

// Eight matrices one on the other, in float64; the lowest one stands on top too, as a tied output layer does.
struct Tower {
  static constexpr int64_t kWidth = 128;
  static constexpr int kStages = 8;

  explicit Tower(int lowest = 0) : first_trained(lowest) {
    for (int s = 0; s < kStages; ++s) {
      const at::Tensor drawn = at::sin(at::arange(kWidth * kWidth, at::kDouble) * 1.3 + s).view({kWidth, kWidth}) * 0.1;
      all.push_back({concat_name(s), drawn, s, true});
      if (s >= lowest) trained.push_back(all.back());
    }
  }
  static std::string concat_name(int s) { return "matrix." + std::to_string(s); }
  StageReads reads() const { return {.borrowings = {{.stage = kStages, .from = 0}}, .on_top = kStages}; }

  at::Tensor loss(int64_t row, StageWatch* watch) const {
    at::Tensor x = at::cos(at::arange(3 * kWidth, at::kDouble) * 0.7 + static_cast<double>(row)).view({3, kWidth});
    const auto stage = [&](int s) { return all[static_cast<size_t>(s)].value; };
    for (int s = 0; s < kStages; ++s) {
      if (watch != nullptr) watch->before(s);
      x = at::tanh(at::matmul(x, stage(s)));
      if (watch != nullptr) watch->after(s);
      if (watch != nullptr && x.requires_grad())
        x.register_hook([watch, s](const at::Tensor&) { watch->before_backward(s); });
    }
    if (watch != nullptr) watch->before(kStages);
    return at::matmul(x, stage(0).t()).square().sum();
  }

  int first_trained;
  Parameters all, trained;
};

// Of S stages of P/S parameters each a rank holds P/W, and of whole ones that which runs, and where gathers go on
// beside the computation the next: a scaled shape of decoders, whose blocks are alike.
TEST(Zero3Memory, IsThatOfTheFormula) {
  for (const int ranks : {1, 2, 4})
    for (const Leave leave : {Leave::when_full, Leave::at_the_end})
      spawn_ranks(ranks, [&](Communicator& world) {
        const Tower tower;
        Arena arena(tower.trained, std::vector<int>(Tower::kStages, 0));
        const auto gradients = make_gradient_sync(
            {"zero3"}, arena, world, world, {.bucket_bytes = 1 << 16, .leave = leave, .reads = tower.reads()});
        const double all = 8.0 * Tower::kStages * Tower::kWidth * Tower::kWidth;
        EXPECT_NEAR(static_cast<double>(arena.values().nbytes()), all / ranks, 0.05 * all / ranks);
        EXPECT_NEAR(static_cast<double>(arena.gradients().nbytes()), all / ranks, 0.05 * all / ranks);
        EXPECT_EQ(bytes_there(tower.trained), 0) << "between two uses";
        Weighing watch(*gradients->watch(), tower.trained);
        gradients->begin(1);
        gradients->pass();
        tower.loss(world.rank(), &watch).backward();
        const double expected = all / Tower::kStages * (leave == Leave::when_full ? 2 : 1);
        EXPECT_NEAR(static_cast<double>(watch.most()), expected, 0.05 * expected) << ranks << " ranks";
        gradients->reduce();
        EXPECT_EQ(bytes_there(tower.trained), 0) << "behind a batch";
        {
          const auto whole = gradients->whole();
          EXPECT_NEAR(static_cast<double>(bytes_there(tower.trained)), all, 0.05 * all);
        }
        EXPECT_EQ(bytes_there(tower.trained), 0) << "behind an evaluation";
      });
}

at::Tensor gradient_of(const Tower& tower, int ranks) {
  Arena arena(tower.trained, std::vector<int>(tower.trained.size(), 0));
  for (int rank = 0; rank < ranks; ++rank)
    for (int64_t row = 0; row < rank; ++row) tower.loss(10 * rank + row, nullptr).backward();
  return arena.gradients().clone();
}

// A rank with fewer passes goes through the stages all the same, whatever is frozen below.
TEST(Zero3Passes, MayBeMoreOnSomeRanks) {
  for (const int ranks : {2, 3, 4})
    for (const int first_trained : {0, 1, 5})
      spawn_ranks(ranks, [&](Communicator& world) {
        const at::Tensor expected = gradient_of(Tower(first_trained), ranks);
        const Tower tower(first_trained);
        Arena arena(tower.trained, std::vector<int>(tower.trained.size(), 0));
        const auto gradients = make_gradient_sync(
            {"zero3"}, arena, world, world,
            {.bucket_bytes = 1 << 15, .leave = Leave::when_full, .reads = tower.reads()});
        gradients->begin(world.rank());
        for (int64_t row = 0; row < world.rank(); ++row) {
          gradients->pass();
          tower.loss(10 * world.rank() + row, gradients->watch()).backward();
        }
        gradients->reduce();
        for (const Slice& slice : gradients->owned())
          EXPECT_TRUE(at::allclose(arena.gradient(slice.offset, slice.size),
                                   expected.narrow(0, slice.offset, slice.size), 1e-12, 1e-12))
              << first_trained;
      });
}

TEST(Zero3Whole, KeepsWhatWasLoaded) {
  spawn_ranks(3, [](Communicator& world) {
    const Tower tower;
    Arena arena(tower.trained, std::vector<int>(Tower::kStages, 0));
    const auto gradients = make_gradient_sync({"zero3"}, arena, world, world, {.bucket_bytes = 1 << 15});
    const at::NoGradGuard no_graph;
    {
      const auto whole = gradients->whole();
      for (const Parameter& parameter : tower.trained) parameter.value.detach().fill_(parameter.stage + 0.5);
    }
    const auto whole = gradients->whole();
    for (const Parameter& parameter : tower.trained)
      EXPECT_TRUE(parameter.value.eq(parameter.stage + 0.5).all().item<bool>()) << parameter.name;
  });
}

// In place of a hang: other ranks may be elsewhere.
TEST(Zero3Watch, RefusesToGatherOutsideOfAPass) {
  spawn_ranks(2, [](Communicator& world) {
    const Tower tower;
    Arena arena(tower.trained, std::vector<int>(Tower::kStages, 0));
    const auto gradients = make_gradient_sync({"zero3"}, arena, world, world, {.bucket_bytes = 1 << 15});
    EXPECT_THROW(gradients->watch()->before(2), std::logic_error);
    EXPECT_EQ(bytes_there(tower.trained), 0);
  });
}

}  // namespace
}  // namespace sft
