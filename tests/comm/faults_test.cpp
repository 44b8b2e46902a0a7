// What happens to a job of processes when one of them goes wrong: it ends, soon, with the cause.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <regex>
#include <string>

#include "base/stopwatch.h"
#include "base/text.h"

namespace sft::test {
namespace {

struct Ending {
  int code;
  std::string output;
  double seconds;
};

Ending end_of(const std::string& scenario, int ranks) {
  const Stopwatch watch;
  const std::string command =
      concat("OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 timeout -k 1 100 ", MPIEXEC, " -np ", ranks,
             " --oversubscribe --bind-to none ", COMM_FAULTS, " ", scenario, " 2>&1");
  FILE* pipe = popen(command.c_str(), "r");
  std::string output;
  std::array<char, 4096> part;
  while (const size_t bytes = fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), bytes);
  const int status = pclose(pipe);
  return {WEXITSTATUS(status), output, watch.seconds()};
}

constexpr double kSoon = 30;  // of a crowded machine; a hang would take the 100 s of `timeout`

TEST(Faults, AJobWithoutOneEndsWithZeroAndInSilence) {
  const Ending ending = end_of("end_well", 3);
  EXPECT_EQ(ending.code, 0);
  EXPECT_EQ(ending.output, "");
}

TEST(Faults, AnErrorToldTogetherEndsEveryRankWithItsCode) {
  const Ending ending = end_of("fail_together", 3);
  EXPECT_EQ(ending.code, 79) << ending.output;
  EXPECT_LT(ending.seconds, kSoon);
  EXPECT_NE(ending.output.find("ends with 79: rank 1: bad row"), std::string::npos) << ending.output;
}

TEST(Faults, AnErrorOfOneRankAloneEndsTheJob) {
  const Ending ending = end_of("fail_alone", 3);
  EXPECT_EQ(ending.code, 79) << ending.output;
  EXPECT_LT(ending.seconds, kSoon);
  EXPECT_NE(ending.output.find("rank 1 ends with 79: alone"), std::string::npos) << ending.output;
}

TEST(Faults, AStoppedRankIsNamedAndTheJobEndsWith76) {
  const Ending ending = end_of("stop_in_a_step", 3);
  EXPECT_EQ(ending.code, 76) << ending.output;
  EXPECT_LT(ending.seconds, kSoon);
  EXPECT_NE(ending.output.find("late: rank 1, host here, sequence 100 all_reduce done, step 100 in train, not "
                               "responding; others at sequence 101 all_reduce"),
            std::string::npos)
      << ending.output;
}

TEST(Faults, AStoppedRankIsNamedByThoseWhoseDevicesWaitForIt) {
  const Ending ending = end_of("stop_on_devices", 3);
  EXPECT_EQ(ending.code, 76) << ending.output;
  EXPECT_LT(ending.seconds, kSoon);
  // The stopped rank's watchdog may have looked at its device for the last time some updates before.
  const std::regex told(
      R"(late: rank 1, host here, sequence 201 wait (done|queued \(\d+ of \d+ finished\)), step 100 in train, not responding; )"
      R"(others at sequence 203 wait queued \(100 of 101 finished\))");
  EXPECT_TRUE(std::regex_search(ending.output, told)) << ending.output;
}

TEST(Faults, DifferentCallsAreAnErrorThatNamesTheRank) {
  const Ending ending = end_of("mismatch", 3);
  EXPECT_EQ(ending.code, 69) << ending.output;
  EXPECT_NE(ending.output.find("rank 1 call 1, barrier; rank 0 call 1, all_reduce of 1 f64 by sum"), std::string::npos)
      << ending.output;
}

}  // namespace
}  // namespace sft::test
