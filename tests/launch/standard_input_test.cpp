// What is piped in, in a process whose standard input is the pipe.
#include "launch/standard_input.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string_view>

#include "base/errors.h"
#include "base/text.h"
#include "launch/signals.h"

namespace sft {
namespace {

namespace fs = std::filesystem;

class StandardInput : public ::testing::Test {
 protected:
  StandardInput() {
    fs::create_directories(directory_);
    if (::pipe(pipe_) != 0) throw StorageError("no pipe");
  }
  ~StandardInput() override {
    write_end_shut();
    ::close(pipe_[0]);
    fs::remove_all(directory_);
  }

  void write_end_shut() {
    if (pipe_[1] >= 0) ::close(pipe_[1]);
    pipe_[1] = -1;
  }

  // A process that ends with 0 or an error's code.
  int start() {
    const int child = ::fork();
    if (child != 0) return child;
    ::close(pipe_[1]);
    ::dup2(pipe_[0], STDIN_FILENO);
    signals::install();
    try {
      keep_standard_input(directory_);
    } catch (const Error& error) {
      ::_exit(static_cast<int>(error.code()));
    }
    ::_exit(0);
  }

  // -1 where the process does not end within some seconds.
  static int code_of(int child) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > deadline) return -1;
      ::usleep(1000);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string kept(std::string_view text) {
    const int child = start();
    EXPECT_EQ(::write(pipe_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    write_end_shut();
    EXPECT_EQ(code_of(child), text.empty() ? 79 : 0);
    for (const auto& entry : fs::directory_iterator(directory_))
      if (entry.path() != directory_ / "stdin") return entry.path().filename();
    return "";
  }

  fs::path directory_ = fs::temp_directory_path() / concat("sft-stdin-", ::getpid());
  int pipe_[2] = {-1, -1};
};

TEST_F(StandardInput, IsLeftWhileNothingComes) {
  const int child = start();
  while (!fs::exists(directory_ / "stdin")) ::usleep(1000);
  ::kill(child, SIGTERM);
  const int code = code_of(child);
  write_end_shut();
  if (code < 0) ::waitpid(child, nullptr, 0);
  EXPECT_EQ(code, 75);
}

struct Piped {
  std::string_view text, name;
};

class NameOfStandardInput : public StandardInput, public ::testing::WithParamInterface<Piped> {};

TEST_P(NameOfStandardInput, FollowsFromItsBeginning) { EXPECT_EQ(kept(GetParam().text), GetParam().name); }

INSTANTIATE_TEST_SUITE_P(All, NameOfStandardInput,
                         ::testing::Values(Piped{"\n [{\"a\": 1}]", "stdin.json"},
                                           Piped{"\xEF\xBB\xBF{\"a\": 1}\n{\"a\": 2}\n", "stdin.json"},
                                           Piped{"{\"version\": 1,\n\"data\": [{}]}", "stdin.json"},
                                           Piped{"a,b\n1,\t\n", "stdin.csv"}, Piped{"a\tb\n1,2\n", "stdin.tsv"},
                                           Piped{"", ""}));

}  // namespace
}  // namespace sft
