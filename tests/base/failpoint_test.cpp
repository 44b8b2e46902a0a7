#include "base/failpoint.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include "base/errors.h"
#include "base/stopwatch.h"

namespace sft {
namespace {

class Failpoint : public testing::Test {
 protected:
  void arm(const char* points, int rank = 0) {
    ::setenv("SFT_FAILPOINTS", points, 1);
    arm_failpoints(rank);
  }
  void TearDown() override {
    ::unsetenv("SFT_FAILPOINTS");
    arm_failpoints(0);
  }
};

TEST_F(Failpoint, DoesNothingUnlessArmed) {
  EXPECT_NO_THROW(failpoint("trainer.step"));
  arm("checkpoint.commit=throw");
  EXPECT_NO_THROW(failpoint("trainer.step"));
}

TEST_F(Failpoint, ActsAtThePassageThatWasNamedAndOnlyThere) {
  arm("trainer.step@3=throw");
  failpoint("trainer.step");
  failpoint("trainer.step");
  EXPECT_THROW(failpoint("trainer.step"), Error);
  EXPECT_NO_THROW(failpoint("trainer.step"));
}

TEST_F(Failpoint, ConcernsTheRankThatWasNamed) {
  arm("rank=2;trainer.step=throw", 1);
  EXPECT_NO_THROW(failpoint("trainer.step"));
  arm("rank=2;trainer.step=throw", 2);
  EXPECT_THROW(failpoint("trainer.step"), Error);
  arm("a=throw;rank=2;b=throw", 1);
  EXPECT_THROW(failpoint("a"), Error);
  EXPECT_NO_THROW(failpoint("b"));
}

TEST_F(Failpoint, FailsStorageWithTheSystemsReason) {
  arm("checkpoint.write=errno:28");
  try {
    failpoint("checkpoint.write");
    FAIL();
  } catch (const StorageError& error) {
    EXPECT_NE(std::string(error.what()).find("No space left on device"), std::string::npos) << error.what();
  }
}

TEST_F(Failpoint, SleepsAndKills) {
  arm("slow=sleep:0.05");
  const Stopwatch watch;
  failpoint("slow");
  EXPECT_GE(watch.seconds(), 0.05);
  arm("deadly=kill");
  EXPECT_EXIT(failpoint("deadly"), testing::KilledBySignal(SIGKILL), "");
}

TEST_F(Failpoint, RefusesWhatItDoesNotUnderstand) {
  for (const char* wrong :
       {"step", "=throw", "step=explode", "step=sleep", "step=kill:1", "step@x=throw", "rank=a", "step=errno:x"})
    EXPECT_THROW(arm(wrong), ConfigError) << wrong;
}

}  // namespace
}  // namespace sft
