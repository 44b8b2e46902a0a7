// A process that is killed at each named place of a save and of a pruning.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/temporary_directory.h"
#include "comm/make_communicator.h"
#include "trainer/checkpoint/sample_training.h"

namespace sft {
namespace {

struct Place {
  const char* name;
  int64_t resumed;  // the step that the next start finds
};

void save(const std::string& run, int64_t step) {
  SaveConfig config;
  config.save_total_limit = 1;
  spawn_ranks(3, [&](Communicator& control) {
    Checkpoints checkpoints(run, config, control, real_files(), kSmallCuts);
    checkpoints.find_latest();  // goes on with the run
    EXPECT_TRUE(checkpoints.save(SampleTraining(step).content()));
    checkpoints.prune("");
  });
}

class Killed : public testing::TestWithParam<Place> {};

TEST_P(Killed, ResumesFromTheNewestWholeCheckpoint) {
  const TemporaryDirectory run;
  save(run.path(), 1);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::setenv("SFT_FAILPOINTS", (std::string(GetParam().name) + "=kill").c_str(), 1);
    arm_failpoints(0);
    save(run.path(), 2);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the place was not passed";

  spawn_ranks(2, [&](Communicator& control) {
    Checkpoints checkpoints(run.path(), {}, control, real_files());
    const auto found = checkpoints.find_latest();
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->step, GetParam().resumed);
    SampleTraining training(found->step);
    const auto expected = training.bytes();
    training.clear();
    checkpoints.load(*found, training.content().model, training.content().optimizer);
    EXPECT_EQ(training.bytes(), expected);
  });
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, Killed,
                         testing::Values(Place{"checkpoint.before_write", 1}, Place{"checkpoint.after_write", 1},
                                         Place{"checkpoint.before_manifest", 1}, Place{"checkpoint.before_commit", 1},
                                         Place{"checkpoint.after_commit", 2}, Place{"checkpoint.before_prune", 2}),
                         [](const auto& place) { return std::string(place.param.name).substr(11); });

}  // namespace
}  // namespace sft
