// Every file operation of saving and pruning is made to fail, one after the other, in three ways and on one and
// three ranks; then the run directory is judged by what was promised about it.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/errors.h"
#include "base/temporary_directory.h"
#include "base/text.h"
#include "comm/make_communicator.h"
#include "faults/fault_files.h"
#include "faults/judge.h"
#include "faults/unsafe_files.h"
#include "trainer/checkpoint/sample_training.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

// The disk that fails is simulated, so a slow real one is not needed.
class InMemory : public testing::Environment {
  void SetUp() override {
    if (fs::exists("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 0);
  }
};
[[maybe_unused]] const auto* const kInMemory = testing::AddGlobalTestEnvironment(new InMemory);

// A run that saved steps 1 and 2 in peace, then saves 3 and 4, keeping two, over `files`. What each rank was told.
struct Told {
  std::vector<int64_t> saved;
  bool ended = false;  // by an error
  bool operator==(const Told&) const = default;
};

SaveConfig keeping_two() {
  SaveConfig config;
  config.save_total_limit = 2;
  return config;
}

void save_in_peace(const std::string& run) {
  spawn_ranks(2, [&](Communicator& control) {
    Checkpoints checkpoints(run, keeping_two(), control, real_files(), kSmallCuts);
    for (const int64_t step : {1, 2}) ASSERT_TRUE(checkpoints.save(SampleTraining(step).content()));
  });
}

// Death ends all ranks wherever they are: those that did not strike it learn of a lost peer or a failed agreement.
std::vector<Told> save_under(FileOps& files, const std::string& run, int world) {
  std::vector<Told> told(static_cast<size_t>(world));
  try {
    spawn_ranks(world, [&](Communicator& control) {
      Told& mine = told[static_cast<size_t>(control.rank())];
      try {
        Checkpoints checkpoints(run, keeping_two(), control, files, kSmallCuts);
        checkpoints.find_latest();  // goes on with the run
        for (const int64_t step : {3, 4}) {
          if (checkpoints.save(SampleTraining(step).content())) mine.saved.push_back(step);
          checkpoints.prune("");
        }
      } catch (const Error&) {
        mine.ended = true;
      }
    });
  } catch (const Crash&) {
  }
  return told;
}

bool has_leftovers(const std::string& run) {
  return std::ranges::any_of(fs::directory_iterator(run), [](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    return name.starts_with(".tmp-");  // what was pruned may stay as .trash- until the next save
  });
}

using Layer = std::function<std::unique_ptr<FileOps>(FileOps& below)>;
constexpr int64_t kMoreThanAll = 2000;

// All violations over every N, until a session of saves ends without the fault having struck. `after` takes
// away what a power cut takes.
std::vector<std::string> violations_of(Fault fault, int world, const Layer& layer, bool volatile_disk = false,
                                       bool names_too = false) {
  std::vector<std::string> all;
  const TemporaryDirectory peaceful;
  save_in_peace(peaceful.path());
  int64_t nth = 1;
  for (; nth <= kMoreThanAll; ++nth) {
    const TemporaryDirectory run;
    fs::copy(peaceful.path(), run.path(), fs::copy_options::recursive);
    VolatileFiles disk;
    FaultFiles faults(nth, fault, volatile_disk ? static_cast<FileOps&>(disk) : real_files());
    const auto files = layer(faults);
    const auto told = save_under(*files, run.path(), world);
    const std::string when = concat("operation ", nth, ", ", faults.struck());
    if (fault != Fault::dies && std::ranges::count(told, told[0]) != world)
      all.push_back(when + ": ranks were told different things");
    if (fault == Fault::fails_once && !faults.struck().starts_with("remove") && has_leftovers(run.path()))
      all.push_back(when + ": not cleaned up");
    if (volatile_disk) disk.cut_power(names_too);
    std::ranges::move(Judge(run.path()).violations(told[0].saved, 2, when), std::back_inserter(all));
    if (faults.struck().empty()) break;
  }
  EXPECT_GT(nth, 50) << "the session has more operations than that";
  EXPECT_LT(nth, kMoreThanAll);
  return all;
}

const Layer kAsItIs = [](FileOps& below) { return std::make_unique<LayeredFiles>(below); };

std::string listed(const std::vector<std::string>& violations) { return join(violations, "\n"); }

class SaveFaults : public testing::TestWithParam<std::tuple<Fault, int>> {};

TEST_P(SaveFaults, LeaveWholeCheckpointsOnly) {
  const auto [fault, world] = GetParam();
  EXPECT_EQ(listed(violations_of(fault, world, kAsItIs)), "");
}

std::string name_of_fault(const testing::TestParamInfo<std::tuple<Fault, int>>& parameters) {
  const auto [fault, world] = parameters.param;
  return concat(fault == Fault::fails_once     ? "FailsOnce"
                : fault == Fault::fails_onward ? "FailsOnward"
                                               : "Dies",
                "On", world);
}
INSTANTIATE_TEST_SUITE_P(Checkpoints, SaveFaults,
                         testing::Combine(testing::Values(Fault::fails_once, Fault::fails_onward, Fault::dies),
                                          testing::Values(1, 3)),
                         name_of_fault);

class PowerCut : public testing::TestWithParam<bool> {};

TEST_P(PowerCut, LeavesWholeCheckpointsOnly) {
  EXPECT_EQ(listed(violations_of(Fault::dies, 1, kAsItIs, true, GetParam())), "");
  EXPECT_EQ(listed(violations_of(Fault::dies, 3, kAsItIs, true, GetParam())), "");
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, PowerCut, testing::Bool(),
                         [](const auto& losing) { return losing.param ? "LosesNames" : "KeepsNames"; });

TEST(FaultHarness, FindsOutAWriterThatSkipsTheRename) {
  const Layer in_place = [](FileOps& below) { return std::make_unique<WritesInPlace>(below); };
  EXPECT_NE(listed(violations_of(Fault::dies, 1, in_place)).find("does not load"), std::string::npos);
}

TEST(FaultHarness, FindsOutAWriterThatNeverSyncs) {
  const Layer careless = [](FileOps& below) { return std::make_unique<NeverSyncs>(below); };
  EXPECT_EQ(listed(violations_of(Fault::dies, 1, careless)), "") << "without a power cut nobody can tell";
  EXPECT_NE(listed(violations_of(Fault::dies, 1, careless, true, false)).find("does not load"), std::string::npos);
}

// What a resume does to the disk is tidying; that it cannot does not keep it from the right checkpoint.
TEST(ResumeFaults, FindTheNewestWholeCheckpointAllTheSame) {
  for (int64_t nth = 1;; ++nth) {
    const TemporaryDirectory run;
    save_in_peace(run.path());
    fs::create_directories(run.path(".tmp-checkpoint-3.0123456789abcdef"));
    fs::resize_file(run.path("checkpoint-2/vocab.txt"), 1);
    FaultFiles faults(nth, Fault::fails_onward);
    spawn_ranks(3, [&](Communicator& control) {
      const auto found = Checkpoints(run.path(), {}, control, faults).find_latest();
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->step, 1) << nth;
    });
    if (!faults.struck().empty()) continue;
    EXPECT_GT(nth, 2);
    break;
  }
}

TEST(FullDisk, EndsTheRunAtTheThirdFailureInARow) {
  const TemporaryDirectory run;
  FaultFiles full(1, Fault::fails_onward);
  spawn_ranks(3, [&](Communicator& control) {
    Checkpoints checkpoints(run.path(), {}, control, full, kSmallCuts);
    for (int64_t step = 1; step < Checkpoints::kMostFailures; ++step)
      EXPECT_FALSE(checkpoints.save(SampleTraining(step).content()));
    try {
      checkpoints.save(SampleTraining(9).content());
      ADD_FAILURE() << "the run went on";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::cannot_write);
      EXPECT_EQ(error.reach(), Reach::everywhere);
    }
  });
}

}  // namespace
}  // namespace sft
