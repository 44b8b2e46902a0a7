#include "comm/agree.h"

#include <gtest/gtest.h>

#include <new>

#include "base/errors.h"
#include "comm/make_communicator.h"
#include "tests/comm/worlds/worlds.h"

namespace sft::test {
namespace {

class Agree : public ::testing::TestWithParam<World> {};

TEST_P(Agree, SumsAndExtremesAreTheSameOnEveryRank) {
  GetParam().run([](Communicator& world) {
    const int n = world.size();
    EXPECT_EQ(sum(world, int64_t{world.rank()}), n * (n - 1) / 2);
    EXPECT_DOUBLE_EQ(sum(world, 0.5), 0.5 * n);
    EXPECT_EQ(max(world, int64_t{world.rank()}), n - 1);
    EXPECT_EQ(min(world, int64_t{-world.rank()}), -(n - 1));
  });
}

TEST_P(Agree, GathersTextsOfAnyLength) {
  GetParam().run([](Communicator& world) {
    const auto text_of = [](int rank) {
      return std::string(static_cast<size_t>(rank) * 5000, static_cast<char>('a' + rank));
    };
    const auto texts = gather_all(world, text_of(world.rank()));
    ASSERT_EQ(texts.size(), static_cast<size_t>(world.size()));
    for (int rank = 0; rank < world.size(); ++rank) EXPECT_EQ(texts[static_cast<size_t>(rank)], text_of(rank));
    for (const std::string& text : gather_all(world, "")) EXPECT_EQ(text, "");
  });
}

TEST_P(Agree, BroadcastsTheRootsText) {
  GetParam().run([](Communicator& world) {
    const int root = world.size() - 1;
    const std::string expected(70000, 'r');
    EXPECT_EQ(broadcast_from(world, world.rank() == root ? expected : std::string("mine"), root), expected);
    EXPECT_EQ(broadcast_from(world, "", 0), "");
  });
}

TEST_P(Agree, TogetherPassesWhereNoRankFails) {
  GetParam().run([](Communicator& world) {
    int calls = 0;
    together(world, [&] { ++calls; });
    EXPECT_EQ(calls, 1);
  });
}

// The error that `together` throws here when `failing` ranks throw what `fail` throws.
void expect_everywhere(const std::function<void()>& fail, int failing, ExitCode code, const std::string& message,
                       const World& where) {
  where.run([&](Communicator& world) {
    try {
      together(world, [&] {
        if (world.rank() < failing) fail();
      });
      ADD_FAILURE() << "rank " << world.rank() << " went on";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_EQ(error.reach(), Reach::everywhere);
      EXPECT_EQ(std::string(error.what()), (failing < world.size() ? "rank 0: " : "") + message);
    }
    EXPECT_EQ(sum(world, int64_t{1}), world.size()) << "afterwards all go on";
  });
}

TEST_P(Agree, OneRanksErrorIsEveryRanks) {
  for (const int failing : {1, GetParam().size}) {
    expect_everywhere([] { throw DataError("row 3 of x.h5"); }, failing, ExitCode::bad_content, "row 3 of x.h5",
                      GetParam());
    expect_everywhere([] { throw std::bad_alloc(); }, failing, ExitCode::out_of_memory, "out of memory", GetParam());
    expect_everywhere([] { throw std::logic_error("oh"); }, failing, ExitCode::internal, "oh", GetParam());
    expect_everywhere([] { throw 1; }, failing, ExitCode::internal, "an exception of unknown type", GetParam());
  }
}

TEST_P(Agree, TheLowestFailingRankSpeaks) {
  GetParam().run([](Communicator& world) {
    try {
      together(world, [&] {
        if (world.rank() > 0) throw StorageError("from " + std::to_string(world.rank()));
      });
      EXPECT_EQ(world.size(), 1);
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()), "rank 1: from 1");
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Worlds, Agree, ::testing::ValuesIn(worlds()),
                         [](const auto& instance) { return instance.param.name; });

TEST(Threads, AnExceptionOnOneRankIsTheOneThatComesOut) {
  for (int failing = 0; failing < 3; ++failing) try {
      spawn_ranks(3, [&](Communicator& world) {
        const auto half = world.split(0, 0);
        half->barrier();
        if (world.rank() == failing) throw DataError("the cause");
        half->barrier();
      });
      ADD_FAILURE();
    } catch (const DataError& error) {
      EXPECT_STREQ(error.what(), "the cause");
    }
}

TEST(Threads, OthersLearnWhichRankFailed) {
  std::array<std::string, 3> heard;
  EXPECT_THROW(spawn_ranks(3,
                           [&](Communicator& world) {
                             if (world.rank() == 1) throw DataError("the cause");
                             try {
                               world.barrier();
                             } catch (const CommError& error) {
                               heard[static_cast<size_t>(world.rank())] = error.what();
                               throw;
                             }
                           }),
               DataError);
  EXPECT_EQ(heard[0], "rank 0, barrier: rank 1 failed");
  EXPECT_EQ(heard[2], "rank 2, barrier: rank 1 failed");
}

TEST(Threads, ARankThatLeavesEarlyIsNamed) {
  try {
    spawn_ranks(2, [](Communicator& world) {
      if (world.rank() == 0) world.barrier();
    });
    ADD_FAILURE();
  } catch (const CommError& error) {
    EXPECT_STREQ(error.what(), "rank 0, barrier: rank 1 has left");
  }
}

TEST(MakeCommunicator, SaysWhatThereIs) {
  const auto message_of = [](const std::string& backend, const Placement& placement) -> std::string {
    try {
      make_communicator(backend, placement);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message_of("ncl", {}).find("did you mean 'nccl'"), std::string::npos);
  EXPECT_NE(message_of("solo", {.world = 2, .host = "h"}).find("there are 2"), std::string::npos);
  EXPECT_NE(message_of("threads", {}).find("spawn_ranks"), std::string::npos);
}

}  // namespace
}  // namespace sft::test
