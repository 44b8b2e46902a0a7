// Open MPI 4's mpirun sends TERM on a Ctrl-C, and KILL a second later, or when odls_base_sigkill_timeout says. Open MPI
// 5's, which is PRRTE's prterun by the time that ranks run, sends KILL a quarter of a second later whatever it is told,
// and hands on no more of what they write (5.0.11, seen by strace). Both hand USR1 on to the ranks.
#include "launch/how_to_stop.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"

namespace sft {
namespace {

struct Launcher {
  std::string_view name, leaves;
};
constexpr std::string_view kOfOpenMpi4 = "one second, or what --mca odls_base_sigkill_timeout 60 says";
constexpr std::array<Launcher, 4> kHasty{{{"mpirun", kOfOpenMpi4},
                                          {"mpiexec", kOfOpenMpi4},
                                          {"orterun", kOfOpenMpi4},
                                          {"prterun", "a quarter of a second"}}};

}  // namespace

std::string how_to_stop(const std::string& launcher, int process) {
  const auto found = std::ranges::find(kHasty, launcher, &Launcher::name);
  if (found == kHasty.end()) return "";
  return concat("to stop with a checkpoint: kill -USR1 ", process, " (", launcher, "). Ctrl-C leaves the ranks ",
                found->leaves, "; the last checkpoint resumes in any case");
}

}  // namespace sft
