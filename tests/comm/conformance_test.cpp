// One suite for all backends: whoever carries the bytes, the promises of communicator.h hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>

#include "tests/comm/values.h"
#include "tests/comm/worlds/worlds.h"

namespace sft::test {
namespace {

constexpr Element kElements[] = {Element::u8,   Element::i32, Element::i64, Element::f16,
                                 Element::bf16, Element::f32, Element::f64};

// Empty, one, fewer than ranks, odd, a page and one, and several of the smallest pieces.
constexpr int64_t kCounts[] = {0, 1, 3, 17, 1000, 4097, 40009};

class Conformance : public ::testing::TestWithParam<World> {
 protected:
  void run(const std::function<void(Communicator&)>& body) { GetParam().run(body); }

  void for_all(const std::function<void(Communicator&, Element, int64_t)>& body) {
    run([&](Communicator& world) {
      for (const Element element : kElements)
        for (const int64_t count : kCounts) body(world, element, count);
    });
  }
};

Values brought_by(int rank, Element element, int64_t count) {
  Values values(element, count);
  for (int64_t i = 0; i < count; ++i) values.set(i, brought(rank, i));
  return values;
}

// The first place where `values` differ from expected(i), or −1.
int64_t first_wrong(Values& values, const std::function<double(int64_t)>& expected) {
  for (int64_t i = 0; i < values.count(); ++i)
    if (values.get(i) != expected(i)) return i;
  return -1;
}

double combined(const Communicator& world, Reduction how, int64_t i) {
  double result = brought(0, i);
  for (int rank = 1; rank < world.size(); ++rank) {
    const double next = brought(rank, i);
    result = how == Reduction::sum   ? result + next
             : how == Reduction::min ? std::min(result, next)
                                     : std::max(result, next);
  }
  return result;
}

TEST_P(Conformance, EveryRankHasItsOwnNumber) {
  run([&](Communicator& world) {
    EXPECT_EQ(world.size(), GetParam().size);
    std::vector<int64_t> seen(static_cast<size_t>(world.size()));
    seen[static_cast<size_t>(world.rank())] = 1;
    world.all_reduce(Buffer::of(std::span(seen)));
    EXPECT_EQ(std::ranges::count(seen, 1), world.size());
  });
}

TEST_P(Conformance, AllReduceCombinesOnEveryRank) {
  for (const Reduction how : {Reduction::sum, Reduction::min, Reduction::max})
    for_all([&](Communicator& world, Element element, int64_t count) {
      Values values = brought_by(world.rank(), element, count);
      world.all_reduce(values.buffer(), how);
      EXPECT_EQ(first_wrong(values, [&](int64_t i) { return combined(world, how, i); }), -1)
          << name_of(how) << " of " << count << " " << name_of(element);
    });
}

TEST_P(Conformance, AllReduceTakesMoreThanAPieceOfAnySize) {
  run([&](Communicator& world) {
    std::vector<float> values(2'500'007);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(i % 1000) + static_cast<float>(world.rank());
    world.all_reduce(Buffer::of(std::span(values)));
    const int n = world.size();
    size_t wrong = 0;
    for (size_t i = 0; i < values.size(); ++i)
      wrong += values[i] != static_cast<float>(i % 1000) * static_cast<float>(n) + static_cast<float>(n * (n - 1) / 2);
    EXPECT_EQ(wrong, 0u);
  });
}

TEST_P(Conformance, StartedAllReduceIsDoneAfterWait) {
  for_all([&](Communicator& world, Element element, int64_t count) {
    Values first = brought_by(world.rank(), element, count);
    Values second = brought_by(world.rank(), element, count / 2);
    const auto first_work = world.start_all_reduce(first.buffer());
    const auto second_work = world.start_all_reduce(second.buffer());
    second_work->wait();
    first_work->wait();
    for (Values* values : {&first, &second})
      EXPECT_EQ(first_wrong(*values, [&](int64_t i) { return combined(world, Reduction::sum, i); }), -1)
          << name_of(element);
  });
}

TEST_P(Conformance, ReduceScatterLeavesTheOwnShard) {
  for_all([&](Communicator& world, Element element, int64_t count) {
    Values values = brought_by(world.rank(), element, count * world.size());
    Values shard(element, count);
    world.reduce_scatter(values.buffer(), shard.buffer());
    const int64_t begin = count * world.rank();
    EXPECT_EQ(first_wrong(shard, [&](int64_t i) { return combined(world, Reduction::sum, begin + i); }), -1)
        << name_of(element);

    world.reduce_scatter(values.buffer(), values.part(begin, count));
    const auto own = values.bytes().begin() + begin * static_cast<int64_t>(bytes_of(element));
    EXPECT_TRUE(std::equal(shard.bytes().begin(), shard.bytes().end(), own)) << "in place, " << name_of(element);
  });
}

TEST_P(Conformance, AllGatherBringsEveryShardInRankOrder) {
  for_all([&](Communicator& world, Element element, int64_t count) {
    const auto expected = [&](int64_t i) { return brought(static_cast<int>(i / count), i % count); };
    Values shard = brought_by(world.rank(), element, count);
    Values values(element, count * world.size());
    world.all_gather(shard.buffer(), values.buffer());
    EXPECT_EQ(first_wrong(values, expected), -1) << count << " " << name_of(element);

    Values in_place(element, count * world.size());
    for (int64_t i = 0; i < count; ++i) in_place.set(count * world.rank() + i, brought(world.rank(), i));
    world.all_gather(in_place.part(count * world.rank(), count), in_place.buffer());
    EXPECT_EQ(first_wrong(in_place, expected), -1) << "in place, " << count << " " << name_of(element);
  });
}

// Two at a time, and waited for in the other order: a shard of each rank, then all of them again.
TEST_P(Conformance, StartedReduceScatterAndAllGatherAreDoneAfterWait) {
  for_all([&](Communicator& world, Element element, int64_t count) {
    const int64_t counts[] = {count, count / 2};
    std::vector<Values> sums;
    for (const int64_t each : counts) sums.push_back(brought_by(world.rank(), element, each * world.size()));
    const auto shard_of = [&](int k) { return sums[static_cast<size_t>(k)].part(counts[k] * world.rank(), counts[k]); };
    for (const bool gathers : {false, true}) {
      std::unique_ptr<Work> works[2];
      for (const int k : {0, 1}) {
        const Buffer all = sums[static_cast<size_t>(k)].buffer();
        works[k] = gathers ? world.start_all_gather(shard_of(k), all) : world.start_reduce_scatter(all, shard_of(k));
      }
      for (const int k : {1, 0}) works[k]->wait();
      if (gathers) continue;
      for (const int k : {0, 1}) {
        const int64_t begin = counts[k] * world.rank();
        for (int64_t i = begin; i < begin + counts[k]; ++i)
          ASSERT_EQ(sums[static_cast<size_t>(k)].get(i), combined(world, Reduction::sum, i)) << name_of(element);
      }
    }
    for (Values& all : sums)
      EXPECT_EQ(first_wrong(all, [&](int64_t i) { return combined(world, Reduction::sum, i); }), -1)
          << name_of(element) << " " << count;
  });
}

TEST_P(Conformance, BroadcastLeavesTheRootsValues) {
  for_all([&](Communicator& world, Element element, int64_t count) {
    for (int root = 0; root < world.size(); ++root) {
      Values values = brought_by(world.rank(), element, count);
      world.broadcast(values.buffer(), root);
      EXPECT_EQ(first_wrong(values, [&](int64_t i) { return brought(root, i); }), -1)
          << "root " << root << ", " << name_of(element);
    }
  });
}

TEST_P(Conformance, BarrierLetsNoOneThroughEarly) {
  run([&](Communicator& world) {
    int64_t arrived = 0;
    for (int64_t round = 1; round <= 200; ++round) {
      ++arrived;
      world.barrier();
      int64_t fewest = arrived;
      world.all_reduce(Buffer::of(fewest), Reduction::min);
      ASSERT_EQ(fewest, round);
    }
  });
}

TEST_P(Conformance, SplitMakesWorldsOrderedByKey) {
  run([&](Communicator& world) {
    const int color = world.rank() % 2;
    const auto half = world.split(color, -world.rank());
    std::vector<int64_t> members;
    for (int rank = world.size() - 1; rank >= 0; --rank)
      if (rank % 2 == color) members.push_back(rank);
    ASSERT_EQ(half->size(), static_cast<int>(members.size()));

    int64_t mine = world.rank();
    std::vector<int64_t> gathered(members.size());
    half->all_gather(Buffer::of(mine), Buffer::of(std::span(gathered)));
    EXPECT_EQ(gathered, members);

    std::vector<double> many(100003, static_cast<double>(world.rank()));
    half->all_reduce(Buffer::of(std::span(many)));
    double total = 0;
    for (const int64_t member : members) total += static_cast<double>(member);
    EXPECT_EQ(std::ranges::count(many, total), static_cast<int64_t>(many.size()));
  });
}

// Reductions of different sizes and kinds in a row reuse the same shared memory.
TEST_P(Conformance, OneCallNeverSeesTheMemoryOfAnother) {
  run([&](Communicator& world) {
    std::mt19937 random(7);  // the same calls on every rank
    for (int call = 0; call < 200; ++call) {
      const int64_t count = static_cast<int64_t>(random() % 3000) * (call % 17 == 0 ? 20 : 1);
      const auto kind = random() % 4;
      Values values = brought_by(world.rank(), Element::f32, count);
      if (kind == 0) {
        world.broadcast(values.buffer(), call % world.size());
        ASSERT_EQ(first_wrong(values, [&](int64_t i) { return brought(call % world.size(), i); }), -1);
      } else if (kind == 1) {
        Values all(Element::f32, count * world.size());
        world.all_gather(values.buffer(), all.buffer());
        ASSERT_EQ(first_wrong(all, [&](int64_t i) { return brought(static_cast<int>(i / count), i % count); }), -1);
      } else {
        world.all_reduce(values.buffer());
        ASSERT_EQ(first_wrong(values, [&](int64_t i) { return combined(world, Reduction::sum, i); }), -1) << count;
      }
    }
  });
}

// More is promised of reductions in host memory.
class HostConformance : public Conformance {};

std::vector<World> worlds_in_host_memory() {
  std::vector<World> some = worlds();
  std::erase_if(some, [](const World& world) { return !world.in_host_memory; });
  return some;
}

// Sums of random numbers depend on the order of additions in their last bits.
TEST_P(HostConformance, EveryRankGetsTheSameBitsByEveryRoute) {
  for (const Element element : {Element::bf16, Element::f16, Element::f32, Element::f64})
    for (const int64_t count : {5, 999, 33331})
      run([&](Communicator& world) {
        std::mt19937 random(static_cast<unsigned>(world.rank() + 1));
        std::normal_distribution<double> normal;
        Values values(element, count * world.size());
        for (int64_t i = 0; i < values.count(); ++i) values.set(i, normal(random));
        Values shard(element, count);
        world.reduce_scatter(values.buffer(), shard.buffer());
        world.all_reduce(values.buffer());

        const auto begin = count * world.rank() * static_cast<int64_t>(bytes_of(element));
        EXPECT_TRUE(std::equal(shard.bytes().begin(), shard.bytes().end(), values.bytes().begin() + begin))
            << name_of(element);
        std::vector<std::byte> roots = values.bytes();
        world.broadcast({roots.data(), static_cast<int64_t>(roots.size()), Element::u8}, 0);
        EXPECT_EQ(roots, values.bytes()) << name_of(element);
      });
}

TEST_P(HostConformance, HalvesAreAddedInSinglePrecision) {
  run([&](Communicator& world) {
    // 256 + 1 + … + 1: in bf16, where 256 + 1 = 256, each 1 would be lost.
    float value = world.rank() == 0 ? 256.0f : 1.0f;
    Values values(Element::bf16, 1);
    values.set(0, value);
    world.all_reduce(values.buffer());
    Values expected(Element::bf16, 1);
    expected.set(0, 256.0 + world.size() - 1);
    EXPECT_EQ(values.get(0), expected.get(0));
  });
}

TEST_P(HostConformance, NotANumberOnOneRankReachesAll) {
  for (const Reduction how : {Reduction::sum, Reduction::min, Reduction::max})
    run([&](Communicator& world) {
      std::vector<float> values{1.0f, 2.0f};
      if (world.rank() == world.size() - 1) values[0] = std::nanf("");
      world.all_reduce(Buffer::of(std::span(values)), how);
      EXPECT_TRUE(std::isnan(values[0])) << name_of(how);
      EXPECT_FALSE(std::isnan(values[1])) << name_of(how);
    });
}

INSTANTIATE_TEST_SUITE_P(Worlds, Conformance, ::testing::ValuesIn(worlds()),
                         [](const auto& instance) { return instance.param.name; });
INSTANTIATE_TEST_SUITE_P(Worlds, HostConformance, ::testing::ValuesIn(worlds_in_host_memory()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace sft::test
