// One job a run directory.
#include "trainer/checkpoint/run_lock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/errors.h"
#include "base/temporary_directory.h"

namespace sft {
namespace {

std::string refusal(const std::string& directory) {
  try {
    RunLock lock(directory);
  } catch (const Error& error) {
    return error.code() == ExitCode::run_locked ? error.what() : "";
  }
  return "";
}

TEST(RunLock, KeepsASecondJobOutAndNamesTheFirst) {
  const TemporaryDirectory run;
  {
    const RunLock lock(run.path());
    const std::string message = refusal(run.path());
    EXPECT_NE(message.find("process " + std::to_string(::getpid())), std::string::npos) << message;
    EXPECT_NO_THROW(lock.require_held());
  }
  EXPECT_EQ(refusal(run.path()), "") << "released";
}

TEST(RunLock, MakesTheDirectory) {
  const TemporaryDirectory run;
  const RunLock lock(run.path("runs/one"));
  EXPECT_NE(refusal(run.path("runs/one")), "");
}

TEST(RunLock, IsTakenOverFromAKilledHolder) {
  const TemporaryDirectory run;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const RunLock lock(run.path());
    [[maybe_unused]] const auto told = ::write(ready[1], "x", 1);
    ::pause();
  }
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_NE(refusal(run.path()).find("process " + std::to_string(holder)), std::string::npos);
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  EXPECT_TRUE(std::filesystem::exists(run.path(".lock.1"))) << "the dead one's fence";

  const RunLock lock(run.path());
  EXPECT_TRUE(std::filesystem::exists(run.path(".lock.2")));
  EXPECT_FALSE(std::filesystem::exists(run.path(".lock.1")));
}

TEST(RunLock, CountsItsHoldersUp) {
  const TemporaryDirectory run;
  for (int k = 1; k <= 3; ++k) {
    const RunLock lock(run.path());
    EXPECT_TRUE(std::filesystem::exists(run.path(".lock." + std::to_string(k))));
  }
  EXPECT_FALSE(std::filesystem::exists(run.path(".lock.3")));
}

// As on file systems whose locks do not reach other nodes.
TEST(RunLock, TellsAHolderThatItWasOvertaken) {
  const TemporaryDirectory run;
  const RunLock lock(run.path());
  run.file(".lock.2", R"({"host": "other-node", "pid": 12, "job": "345", "since": "today"})");
  try {
    lock.require_held();
    ADD_FAILURE() << "nothing was said";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::run_locked);
    EXPECT_NE(std::string(error.what()).find("other-node"), std::string::npos) << error.what();
  }
}

// A second job would take its place beside this one, and this one's log would go where nobody looks.
TEST(RunLock, TellsThatItsDirectoryWasMovedOrReplaced) {
  const TemporaryDirectory parent;
  const std::string run = parent.path("run");
  const RunLock lock(run);
  lock.require_held();
  const auto refused = [&] {
    try {
      lock.require_held();
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::done;
  };
  std::filesystem::rename(run, parent.path("away"));
  EXPECT_EQ(refused(), ExitCode::run_locked);
  const RunLock another(run);
  EXPECT_EQ(refused(), ExitCode::run_locked);
  another.require_held();
}

}  // namespace
}  // namespace sft
