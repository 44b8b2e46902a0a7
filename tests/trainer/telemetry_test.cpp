// The logged loss: the sum of all losses of a window over the sum of their weights, whatever updates and ranks they
// came from and whenever the window was settled.
#include "trainer/loop/telemetry.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "comm/make_communicator.h"

namespace sft {
namespace {

struct Update {
  double loss_sum, weight, penalty;
};

// Updates of unequal weight: the mean of their means is 1.47, their mean 0.81.
const std::vector<Update> kUpdates{{8.0, 10.0, 0.0}, {3.0, 1.0, 0.25}, {0.5, 5.0, 0.25}};

// The losses of lines due every `every` updates; each rank holds its share of a sum.
std::vector<double> logged(int ranks, int64_t every, bool settles_between) {
  std::vector<double> losses;
  spawn_ranks(ranks, [&](Communicator& world) {
    Telemetry telemetry(
        {.lines = {every, static_cast<int64_t>(kUpdates.size())}, .total_steps = 3, .flops = {}}, world, [&](int64_t) {
          return std::vector<Sink>{[&](const Event& event) { losses.push_back(event.values.at("loss")); }};
        });
    telemetry.start(0);
    LossWindow window;
    int64_t step = 0;
    for (const Update& update : kUpdates) {
      const double share = update.loss_sum * (world.rank() + 1) / (ranks * (ranks + 1) / 2.0);
      telemetry.record({.step = ++step,
                        .loss_sum = at::tensor(share, at::kDouble),
                        .penalty = at::tensor(update.penalty, at::kDouble),
                        .weight = update.weight,
                        .norm = at::tensor(1.0),
                        .ids = {}},
                       window);
      if (settles_between) telemetry.settle(window);
    }
  });
  return losses;
}

TEST(Telemetry, LogsTheMeanOverAWindowAndNoMeanOfMeans) {
  const double whole = (8.0 + 3.0 + 0.25 + 0.5 + 5 * 0.25) / 16.0;
  for (const int ranks : {1, 3}) {
    for (const bool settles_between : {false, true}) {
      const auto of_all = logged(ranks, 3, settles_between);
      ASSERT_EQ(of_all.size(), 1U);
      EXPECT_NEAR(of_all[0], whole, 1e-12);
      const auto of_two = logged(ranks, 2, settles_between);
      ASSERT_EQ(of_two.size(), 2U);
      EXPECT_NEAR(of_two[0], (8.0 + 3.0 + 0.25) / 11.0, 1e-12);
      EXPECT_NEAR(of_two[1], 0.1 + 0.25, 1e-12);
    }
  }
}

}  // namespace
}  // namespace sft
