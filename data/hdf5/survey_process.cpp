#include "data/hdf5/survey_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <filesystem>

#include "base/errors.h"
#include "base/text.h"
#include "data/hdf5/descriptor.h"

extern char** environ;

namespace sft::hdf5 {
namespace {

namespace fs = std::filesystem;

constexpr char kProgram[] = "sft-hdf5-survey";
constexpr size_t kMostAnswerBytes = size_t{512} << 20;

// Beside this program, where an installation puts it, or where it was built.
std::string program() {
  std::error_code error;
  const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path places[] = {here / kProgram, here / "../libexec/sft-dist" / kProgram, SFT_SURVEY_PROGRAM};
  for (const fs::path& place : places) {
    if (::access(place.c_str(), X_OK) == 0) return place.string();
  }
  throw Error(ExitCode::internal, concat(kProgram, " is not where this program looks for it (",
                                         in_quotes(here.string(), 400), "); install sft-dist whole"));
}

// The child starts with default signals and none blocked: its limits end it by signals.
struct Attributes {
  posix_spawnattr_t value;
  Attributes() {
    posix_spawnattr_init(&value);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&value, &none);
    posix_spawnattr_setsigdefault(&value, &all);
    posix_spawnattr_setflags(&value, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { posix_spawnattr_destroy(&value); }
};

struct Actions {
  posix_spawn_file_actions_t value;
  Actions() { posix_spawn_file_actions_init(&value); }
  ~Actions() { posix_spawn_file_actions_destroy(&value); }
};

// The child's descriptor 1 is `answer`, its 3 is `file`. Copies from 10 upward keep the one move from covering the
// other.
pid_t start(int file, int answer) {
  const Descriptor file_copy(::fcntl(file, F_DUPFD_CLOEXEC, 10)), answer_copy(::fcntl(answer, F_DUPFD_CLOEXEC, 10));
  const std::string path = program();
  std::string name = kProgram;
  char* arguments[] = {name.data(), nullptr};
  Attributes attributes;
  Actions actions;
  posix_spawn_file_actions_adddup2(&actions.value, answer_copy.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions.value, file_copy.get(), 3);
  posix_spawn_file_actions_addopen(&actions.value, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int number = posix_spawn(&child, path.c_str(), &actions.value, &attributes.value, arguments, environ);
  if (number != 0)
    throw Error(ExitCode::internal, concat("cannot start ", in_quotes(path, 400), ": ", std::strerror(number)));
  return child;
}

std::vector<uint8_t> read_to_end(int descriptor) {
  std::vector<uint8_t> bytes;
  uint8_t buffer[64 * 1024];
  for (;;) {
    const ssize_t got = ::read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || bytes.size() > kMostAnswerBytes) return bytes;
    bytes.insert(bytes.end(), buffer, buffer + got);
  }
}

constexpr int kNotLoaded = 127;  // the dynamic loader's own

// How the child ended, for a message; "" where it is not known because somebody else waits for children here. Error
// where it never began.
std::string end_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return "";
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotLoaded)
    throw Error(ExitCode::internal, concat(in_quotes(program(), 400),
                                           " does not find its libraries (ldd names them); install sft-dist whole"));
  if (WIFSIGNALED(status)) return concat(" (", strsignal(WTERMSIG(status)), ")");
  return "";
}

}  // namespace

FileLayout survey_in_process(int descriptor, const std::string& path) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0)
    throw Error(ExitCode::internal, concat("cannot make a pipe: ", std::strerror(errno)));
  const Descriptor answer(ends[0]);
  Descriptor to_answer(ends[1]);
  const pid_t child = start(descriptor, to_answer.get());
  to_answer = Descriptor();  // the child's alone now, so that its end is seen
  const std::vector<uint8_t> bytes = read_to_end(answer.get());
  const std::string end = end_of(child);

  Finding finding;
  try {
    finding = decode(bytes);
  } catch (const std::exception&) {
    throw DataError(
        concat(in_quotes(path, 400), ": the HDF5 library fails on its structure", end, "; the file is malformed"));
  }
  if (!finding.error.empty()) throw DataError(concat(in_quotes(path, 400), ": ", finding.error));
  return std::move(finding.layout);
}

}  // namespace sft::hdf5
