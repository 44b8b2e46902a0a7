// What ranks agree on must not depend on how many of them there are. Ranks are threads here; autograd runs a CPU graph
// on the thread that calls backward, so each rank's hooks are its own.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <set>

#include "base/errors.h"
#include "comm/agree.h"
#include "comm/make_communicator.h"
#include "comm/overlapped.h"
#include "comm/watchdog.h"
#include "tests/comm/worlds/worlds.h"
#include "tests/trainer/parallel/network.h"
#include "trainer/optim/groups.h"
#include "trainer/optim/optimizer.h"
#include "trainer/parallel/gradient_sync.h"

namespace sft {
namespace {

constexpr int64_t kHidden = 7, kClasses = 3;

struct Trained {
  at::Tensor weights;
  std::vector<double> norms;
};

Trained train(Communicator& world, int64_t bucket_bytes, Leave leave, int64_t rows_in_micro_batch) {
  constexpr int64_t kUpdates = 20;
  Network network(at::kDouble);
  const Grouping grouping = group_parameters(adamw(), network.trained, 1);
  Arena arena(network.trained, grouping.group_of);
  const auto optimizer = make_optimizer(adamw(), arena, grouping.groups, arena.slices());
  const auto gradients = make_replicated(arena, world, bucket_bytes, leave);
  Trained result;
  for (int64_t step = 0; step < kUpdates; ++step) {
    const int64_t rows = batch_rows(step);
    const int64_t first = rows * world.rank() / world.size(), last = rows * (world.rank() + 1) / world.size();
    const double weight = sum(world, static_cast<double>(last - first));
    arena.zero_gradients();
    for (int64_t row = first; row < last; row += rows_in_micro_batch) {
      const int64_t end = std::min(last, row + rows_in_micro_batch);
      const auto overlap = end == last ? gradients->overlap() : nullptr;
      (network.loss_sum(step, row, end) / weight).backward();
    }
    gradients->reduce();
    result.norms.push_back(gradients->clip(0.05).item<double>());
    optimizer->step(1e-2);
    gradients->publish();
  }
  result.weights = arena.values().clone();
  return result;
}

// Shown to fail: dividing by the rank's own weight, not reducing the last bucket, and clipping before the reduction.
TEST(Replicated, TrainsTheSameWeightsOnAnyNumberOfRanks) {
  Trained expected;
  spawn_ranks(1, [&](Communicator& world) { expected = train(world, 1 << 20, Leave::at_the_end, 100); });
  for (const double norm : expected.norms) ASSERT_GT(norm, 0.05) << "clipping is to bite";

  for (const int ranks : {1, 2, 3, 4}) {
    for (const Leave leave : {Leave::when_full, Leave::at_the_end}) {
      for (const int64_t bucket_bytes : {int64_t{64}, int64_t{300}, int64_t{1} << 20}) {
        for (const int64_t rows_in_micro_batch : {1, 3}) {
          spawn_ranks(ranks, [&](Communicator& world) {
            const Trained found = train(world, bucket_bytes, leave, rows_in_micro_batch);
            EXPECT_LT((found.weights - expected.weights).abs().max().item<double>(), 1e-12)
                << ranks << " ranks, buckets of " << bucket_bytes;
            for (size_t i = 0; i < found.norms.size(); ++i) EXPECT_NEAR(found.norms[i], expected.norms[i], 1e-12);
          });
        }
      }
    }
  }
}

TEST(Replicated, TrainsTheSameWeightsWhereBucketsLeaveOnAThreadOfTheirOwn) {
  for (const int64_t bucket_bytes : {64, 1 << 20}) {
    spawn_ranks(3, [&](Communicator& world) {
      const Trained expected = train(world, bucket_bytes, Leave::at_the_end, 3);
      const auto beside = overlapped(world.split(0, world.rank()));
      const Trained found = train(*beside, bucket_bytes, Leave::when_full, 3);
      EXPECT_TRUE(at::equal(found.weights, expected.weights)) << "buckets of " << bucket_bytes;
      EXPECT_EQ(found.norms, expected.norms);
    });
  }
}

// Ranks that start buckets in different orders would wait for ever, as on GPUs: the watchdog ends them.
TEST(Replicated, TrainsTheSameWeightsOverDevices) {
  for (const int ranks : {2, 3}) {
    spawn_ranks(ranks, [&](Communicator& world) {
      const Trained expected = train(world, 64, Leave::at_the_end, 3);
      Watchdog watchdog(world, "here", 5);
      const auto devices = watchdog.watch(test::over_loopback(world.split(0, world.rank())));
      for (const int64_t bucket_bytes : {64, 1 << 20}) {
        const Trained found = train(*devices, bucket_bytes, Leave::when_full, 3);
        EXPECT_LT((found.weights - expected.weights).abs().max().item<double>(), 1e-12)
            << ranks << " ranks, buckets of " << bucket_bytes;
      }
    });
  }
}

// Rank 1 comes to its buckets when rank 0, after an error of its own, has left them behind.
TEST(Replicated, LeavesTheMemoryOfBucketsUnderWay) {
  std::promise<void> left;
  spawn_ranks(2, [&](Communicator& world) {
    const auto beside = overlapped(world.split(0, world.rank()));
    {
      Network network(at::kDouble);
      Arena arena(network.trained, {0, 0, 0, 0});
      const auto gradients = make_replicated(arena, *beside, 64, Leave::when_full);
      if (world.rank() == 0) {
        const auto overlap = gradients->overlap();
        network.loss_sum(0, 0, 4).backward();
      } else {
        left.get_future().wait();
        gradients->reduce();
      }
    }
    if (world.rank() == 0) left.set_value();
  });
}

// Counts and orders what a rank sends.
class Recorder final : public Communicator {
 public:
  Recorder(Communicator& inner, const at::Tensor& buffer)
      : inner_(inner), start_(static_cast<char*>(buffer.data_ptr())) {}
  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  std::string_view backend() const override { return inner_.backend(); }
  void all_reduce(Buffer values, Reduction how) override { inner_.all_reduce(values, how); }
  std::unique_ptr<Work> start_all_reduce(Buffer values) override {
    offsets.push_back(static_cast<char*>(values.data) - start_);
    bytes += static_cast<int64_t>(values.bytes());
    return inner_.start_all_reduce(values);
  }
  void reduce_scatter(Buffer values, Buffer shard) override { inner_.reduce_scatter(values, shard); }
  void all_gather(Buffer shard, Buffer values) override { inner_.all_gather(shard, values); }
  void broadcast(Buffer values, int root) override { inner_.broadcast(values, root); }
  void barrier() override { inner_.barrier(); }
  std::unique_ptr<Communicator> split(int color, int key) override { return inner_.split(color, key); }

  std::vector<int64_t> offsets;
  int64_t bytes = 0;

 private:
  Communicator& inner_;
  char* start_;
};

// Four parameters, the gradient of whose sum is written in one go; `weights` says which are used and how.
struct Leaves {
  Parameters parameters;
  explicit Leaves(int count) {
    for (int i = 0; i < count; ++i) parameters.push_back({"p" + std::to_string(i), at::ones({16}), 0, true});
  }
};

TEST(Replicated, SendsFullBucketsDuringBackwardInArenaOrderWhateverOrderBackwardTakes) {
  spawn_ranks(1, [&](Communicator& world) {
    Leaves leaves(4);
    Arena arena(leaves.parameters, {0, 0, 0, 0});
    Recorder recorder(world, arena.gradients());
    const auto gradients = make_replicated(arena, recorder, 64, Leave::when_full);

    // The arena starts with p3, of which backward hears last.
    at::Tensor chain = leaves.parameters[3].value;
    for (const size_t i : {2u, 1u, 0u}) chain = at::tanh(chain) * leaves.parameters[i].value;
    {
      const auto overlap = gradients->overlap();
      chain.sum().backward();
    }
    EXPECT_EQ(recorder.offsets, (std::vector<int64_t>{0, 64, 128, 192})) << "all left before reduce()";
    gradients->reduce();
    EXPECT_EQ(recorder.offsets.size(), 4u) << "and none twice";
  });
}

TEST(Replicated, KeepsABucketBackUntilAllBeforeItHaveLeft) {
  spawn_ranks(1, [&](Communicator& world) {
    Leaves leaves(4);
    Arena arena(leaves.parameters, {0, 0, 0, 0});
    Recorder recorder(world, arena.gradients());
    const auto gradients = make_replicated(arena, recorder, 64, Leave::when_full);
    const auto backward_through = [&](std::initializer_list<size_t> used) {
      at::Tensor total = at::zeros({});
      for (const size_t i : used) total = total + leaves.parameters[i].value.sum();
      total.backward();
    };
    {
      const auto overlap = gradients->overlap();
      backward_through({0, 1, 3});  // p2, the second of the arena, gets none
    }
    EXPECT_EQ(recorder.offsets, (std::vector<int64_t>{0}));
    gradients->reduce();
    EXPECT_EQ(recorder.offsets, (std::vector<int64_t>{0, 64, 128, 192}));
    EXPECT_EQ(gradients->unreached(), (std::vector<std::string>{"p2"}));

    recorder.offsets.clear();
    backward_through({0, 1, 2, 3});  // without a token nothing leaves
    EXPECT_TRUE(recorder.offsets.empty());
    gradients->reduce();
    EXPECT_EQ(recorder.offsets.size(), 4u);
  });
}

TEST(Replicated, SendsTheSameBucketsFromARankWithAnEmptyShare) {
  std::mutex mutex;
  std::set<std::vector<int64_t>> orders;
  spawn_ranks(3, [&](Communicator& world) {
    Leaves leaves(5);
    Arena arena(leaves.parameters, {0, 0, 0, 0, 0});
    Recorder recorder(world, arena.gradients());
    const auto gradients = make_replicated(arena, recorder, 128, Leave::when_full);
    if (world.rank() != 1) {
      const auto overlap = gradients->overlap();
      at::Tensor total = at::zeros({});
      for (const Parameter& parameter : leaves.parameters) total = total + parameter.value.sum() * (world.rank() + 1.0);
      total.backward();
    }
    gradients->reduce();
    EXPECT_TRUE((arena.gradients() == 4.0).all().item<bool>());  // 1 + 3
    EXPECT_TRUE(gradients->unreached().empty());
    const std::lock_guard lock(mutex);
    orders.insert(recorder.offsets);
  });
  EXPECT_EQ(orders.size(), 1u);
}

// A frozen trunk takes no part: 4 bytes a trained parameter travel in fp32, 8 are kept as moments. The zeros between
// parameters, at most 60 bytes each, are counted apart.
TEST(Replicated, MovesAndKeepsNothingForFrozenParameters) {
  spawn_ranks(2, [&](Communicator& world) {
    Network network(at::kFloat, /*trunk_frozen=*/true);
    Arena arena(network.trained, {0, 0});
    Recorder recorder(world, arena.gradients());
    const auto gradients = make_replicated(arena, recorder, 1 << 20, Leave::at_the_end);
    const auto optimizer = make_optimizer({}, arena, {{}}, arena.slices());
    const auto trunk = network.all[0].value.clone();
    EXPECT_EQ(gradients->bytes_reduced(), 0);

    network.loss_sum(0, 0, 4).backward();
    gradients->reduce();
    gradients->clip(1.0);
    optimizer->step(0.1);

    constexpr int64_t kTrained = kClasses * kHidden + kClasses;
    EXPECT_EQ(gradients->bytes_reduced(), 4 * kTrained);
    EXPECT_EQ(recorder.bytes, gradients->bytes_reduced() + gradients->padding_reduced());
    EXPECT_LT(gradients->padding_reduced(), 64 * 2);
    int64_t moments = 0;
    for (const auto& [name, buffer] : optimizer->state()) moments += static_cast<int64_t>(buffer.nbytes());
    EXPECT_GE(moments, 8 * kTrained);
    EXPECT_LE(moments, 8 * kTrained + 2 * 2 * 64);
    EXPECT_FALSE(network.all[0].value.grad().defined());
    EXPECT_TRUE(at::equal(network.all[0].value, trunk));
  });
}

TEST(Replicated, MovesNoPaddingWhereParametersFillTheirLines) {
  spawn_ranks(2, [&](Communicator& world) {
    Leaves leaves(3);
    Arena arena(leaves.parameters, {0, 0, 0});
    const auto gradients = make_replicated(arena, world, 1 << 20, Leave::at_the_end);
    gradients->reduce();
    EXPECT_EQ(gradients->bytes_reduced(), 3 * 64);
    EXPECT_EQ(gradients->padding_reduced(), 0);
  });
}

TEST(Replicated, NamesAParameterThatNoRankReachedAndOnlySuchAOne) {
  spawn_ranks(2, [&](Communicator& world) {
    Leaves leaves(3);
    Arena arena(leaves.parameters, {0, 0, 0});
    const auto gradients = make_replicated(arena, world, 64, Leave::at_the_end);
    leaves.parameters[world.rank() == 0 ? 0 : 2].value.sum().backward();
    gradients->reduce();
    EXPECT_EQ(gradients->unreached(), (std::vector<std::string>{"p1"}));
    try {
      require_every_gradient(*gradients);
      FAIL() << "accepted";
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find("no gradient reached 'p1'"), std::string::npos) << error.what();
    }

    for (const Parameter& parameter : leaves.parameters) parameter.value.sum().backward();
    gradients->reduce();
    EXPECT_NO_THROW(require_every_gradient(*gradients));
  });
}

TEST(Replicated, LeavesTheParametersUsableWhenItIsGone) {
  Leaves leaves(1);
  Arena arena(leaves.parameters, {0});
  spawn_ranks(1, [&](Communicator& world) { make_replicated(arena, world, 64, Leave::at_the_end); });
  leaves.parameters[0].value.sum().backward();
  EXPECT_EQ(arena.gradients().sum().item<float>(), 16.0f);
}

}  // namespace
}  // namespace sft
