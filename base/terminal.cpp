// mpirun reads its ranks' standard error through pipes and writes it to its own, bytes as they come; so a bar that
// redraws itself can be shown there. proc(5): /proc/PID/stat has the parent, /proc/PID/fd what a process has open.
#include "base/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>

#include "base/text.h"

namespace sft {
namespace {

// How the names of launchers begin: of Open MPI 4 and 5, and of MPICH, whose proxy stands between it and a rank.
constexpr std::array<std::string_view, 5> kLaunchers{"mpirun", "mpiexec", "orterun", "prterun", "hydra_pmi_proxy"};

struct Process {
  std::string name;
  int parent = 0;
};

// "PID (NAME) STATE PARENT …"; the name may hold anything, blanks and brackets too.
Process process_of(int id) {
  std::ifstream file(concat("/proc/", id, "/stat"));
  const std::string line((std::istreambuf_iterator<char>(file)), {});
  const size_t from = line.find('('), to = line.rfind(')');
  if (from == std::string::npos || to == std::string::npos || to + 4 >= line.size()) return {};
  return {line.substr(from + 1, to - from - 1), std::atoi(line.c_str() + to + 4)};
}

// -1 where the file is no terminal, or none that may be looked at.
int terminal_at(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0 || ::isatty(file) == 1) return file;
  ::close(file);
  return -1;
}

}  // namespace

std::unique_ptr<Terminal> Terminal::of_standard_error() {
  if (::isatty(STDERR_FILENO) == 1) return std::make_unique<Terminal>(::dup(STDERR_FILENO));
  int launcher = 0;  // the outermost of those that stand in one row above this process
  for (int id = ::getppid(); id > 1;) {
    const Process process = process_of(id);
    if (std::ranges::none_of(kLaunchers, [&](std::string_view name) { return process.name.starts_with(name); })) break;
    launcher = id;
    id = process.parent;
  }
  if (launcher == 0) return nullptr;
  const int file = terminal_at(concat("/proc/", launcher, "/fd/", STDERR_FILENO));
  return file < 0 ? nullptr : std::make_unique<Terminal>(file);
}

Terminal::~Terminal() { ::close(file_); }

size_t Terminal::columns() const {
  winsize size{};
  return ::ioctl(file_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 120;
}

}  // namespace sft
