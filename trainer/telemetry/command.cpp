#include "trainer/telemetry/command.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <thread>

#include "base/log.h"
#include "base/progress.h"
#include "base/stop_request.h"
#include "base/stopwatch.h"
#include "base/text.h"

extern char** environ;

namespace sft {
namespace {

// A file without a name: the command may read it when and as far as it likes.
int file_of(const std::string& text) {
  const int file = ::memfd_create("sft-dist-hook", MFD_CLOEXEC);
  for (size_t done = 0; file >= 0 && done < text.size();) {
    const ssize_t written = ::write(file, text.data() + done, text.size() - done);
    if (written <= 0) break;
    done += static_cast<size_t>(written);
  }
  if (file >= 0) ::lseek(file, 0, SEEK_SET);
  return file;
}

// What is this job's alone: that it has ranks, where its exit code is left, and what a test breaks in it.
bool is_of_this_job(std::string_view variable) {
  constexpr std::array<std::string_view, 5> kBeginnings{"OMPI_", "PMIX_", "PMI_", "SFT_EXIT_STATUS=",
                                                        "SFT_FAILPOINTS="};
  return std::ranges::any_of(kBeginnings, [&](std::string_view beginning) { return variable.starts_with(beginning); });
}

// A command may be this program: it is a job of its own, whose end is not the end of this one.
std::vector<char*> environment() {
  std::vector<char*> kept;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!is_of_this_job(*variable)) kept.push_back(*variable);
  kept.push_back(nullptr);
  return kept;
}

// 0, or an errno. The process leads a group of its own, which can be killed as a whole.
int start(const std::vector<std::string>& command, int input, pid_t& process) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, input, 0);
  ::posix_spawn_file_actions_adddup2(&files, 2, 1);
  ::posix_spawn_file_actions_addclosefrom_np(&files, 3);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none, usual;
  ::sigemptyset(&none);
  ::sigfillset(&usual);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &usual);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = ::posix_spawnp(&process, words[0], &files, &attributes, words.data(), environment().data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  return error;
}

std::string killed(pid_t process, const std::string& why) {
  ::kill(-process, SIGKILL);
  while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) {
  }
  return why + " and was killed";
}

}  // namespace

std::string run_command(const std::vector<std::string>& command, const std::string& input, double timeout_seconds) {
  const int file = file_of(input);
  if (file < 0) return concat("cannot be given its input: ", std::strerror(errno));
  pid_t process = 0;
  const int error = start(command, file, process);
  ::close(file);
  if (error != 0) return concat("cannot be started: ", std::strerror(error));
  const Stopwatch watch;
  for (int status = 0;;) {
    const pid_t ended = ::waitpid(process, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) return concat("cannot be waited for: ", std::strerror(errno));
    if (ended == process) {
      if (WIFSIGNALED(status)) return concat("was ended by signal ", WTERMSIG(status));
      return WEXITSTATUS(status) == 0 ? "" : concat("ended with ", WEXITSTATUS(status));
    }
    if (watch.seconds() > timeout_seconds)
      return killed(process, concat("took longer than ", human_seconds(timeout_seconds)));
    if (stop_requested() != 0) return killed(process, "was still at work when a stop was requested,");
    beat();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Sink make_evaluation_hook(const std::vector<std::string>& command, double timeout_seconds,
                          const std::string& output_dir) {
  return [=](const Event& event) {
    if (event.kind != Event::Kind::evaluation) return;
    const Phase phase("hook");
    const nlohmann::ordered_json told{{"output_dir", output_dir},
                                      {"step", event.step},
                                      {"total_steps", event.total_steps},
                                      {"metrics", event.values}};
    const std::string problem = run_command(
        command, told.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n", timeout_seconds);
    if (!problem.empty())
      log::warn(concat("hooks.on_evaluation at step ", event.step, ": ", in_quotes(join(command, " "), 200), " ",
                       problem, "; the run goes on"));
  };
}

}  // namespace sft
