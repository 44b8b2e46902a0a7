// pidfd_open(2): a descriptor of a process says when it ends, and names no other one that gets its number later.
#include "launch/launcher_end.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>

#include "base/text.h"

namespace sft {
namespace {

constexpr std::array<std::string_view, 6> kLaunchers{"mpirun", "mpiexec", "orterun", "orted", "prterun", "prted"};
constexpr int kBetweenSignals = 2000;  // milliseconds

bool is_launcher(int process) {
  std::ifstream file(concat("/proc/", process, "/comm"));
  std::string name;
  return std::getline(file, name) && std::ranges::find(kLaunchers, name) != kLaunchers.end();
}

// What a process has open keeps pipes from ending that others read.
void close_all_from(unsigned first) {
  if (::syscall(SYS_close_range, first, ~0U, 0) == 0) return;
  for (unsigned file = first; file < 4096; ++file) ::close(static_cast<int>(file));
}

// In the process that is left behind. It has the memory of this one and none of its threads, so it makes system calls
// alone. mpirun takes a second TERM for serious.
[[noreturn]] void end_when_late(int launcher, int milliseconds) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  ::prctl(PR_SET_NAME, "sft-dist-end");
  ::setsid();
  ::dup2(launcher, 0);
  close_all_from(1);
  for (const int number : {SIGTERM, SIGTERM, SIGKILL}) {
    pollfd end{0, POLLIN, 0};
    if (::poll(&end, 1, milliseconds) != 0) break;
    ::syscall(SYS_pidfd_send_signal, 0, number, nullptr, 0);
    milliseconds = kBetweenSignals;
  }
  ::_exit(0);
}

}  // namespace

void end_launcher_after(double seconds) {
  const int parent = ::getppid();
  const int launcher = static_cast<int>(::syscall(SYS_pidfd_open, parent, 0));
  if (launcher < 0) return;  // a system without it: the launcher ends as it can
  // It is looked at after it was opened: what is open now is what is looked at. fork(3) would wait for locks.
  if (is_launcher(parent) && ::getppid() == parent &&
      ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr) == 0)
    end_when_late(launcher, static_cast<int>(1000 * seconds));
  ::close(launcher);
}

}  // namespace sft
