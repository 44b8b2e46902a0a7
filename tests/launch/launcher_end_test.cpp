// A process that calls itself a launcher, and a child of it that ends and leaves the launcher's end behind.
#include "launch/launcher_end.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sft {
namespace {

// How a parent of this name ends, as waitpid tells it, that would end with 7 by itself after so many seconds.
int end_of(const char* name, unsigned seconds, bool hears_term = true) {
  const int launcher = ::fork();
  if (launcher == 0) {
    ::prctl(PR_SET_NAME, name);
    if (!hears_term) ::signal(SIGTERM, SIG_IGN);
    const int rank = ::fork();
    if (rank == 0) {
      end_launcher_after(0.2);
      ::_exit(0);
    }
    ::waitpid(rank, nullptr, 0);
    ::sleep(seconds);
    ::_exit(7);
  }
  int status = 0;
  ::waitpid(launcher, &status, 0);
  return status;
}

TEST(LauncherEnd, EndsALauncherThatRunsOn) {
  const int status = end_of("orted", 60);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST(LauncherEnd, EndsOneThatHearsNothingToo) {
  const int status = end_of("mpirun", 60, false);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(LauncherEnd, LeavesAnyOtherParentAlone) {
  const int status = end_of("bash", 1);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace sft
