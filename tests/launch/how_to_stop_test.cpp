// What a person is told who may want to stop a job.
#include "launch/how_to_stop.h"

#include <gtest/gtest.h>

namespace sft::test {
namespace {

TEST(HowToStop, TellsOfALauncherThatKills) {
  EXPECT_EQ(how_to_stop("mpirun", 12),
            "to stop with a checkpoint: kill -USR1 12 (mpirun). Ctrl-C leaves the ranks one second, or what --mca "
            "odls_base_sigkill_timeout 60 says; the last checkpoint resumes in any case");
  EXPECT_EQ(how_to_stop("prterun", 12),
            "to stop with a checkpoint: kill -USR1 12 (prterun). Ctrl-C leaves the ranks a quarter of a second; the "
            "last checkpoint resumes in any case");
}

TEST(HowToStop, IsSilentWhereACtrlCIsEnough) {
  EXPECT_EQ(how_to_stop("hydra_pmi_proxy", 12), "");
  EXPECT_EQ(how_to_stop("bash", 12), "");
}

}  // namespace
}  // namespace sft::test
