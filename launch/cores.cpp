#include "launch/cores.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "base/text.h"
#include "comm/agree.h"

namespace sft {
namespace {

// A character a core: '1' where the process may run on it.
std::string affinity_mask(pid_t process) {
  const auto cores = static_cast<size_t>(std::max(sysconf(_SC_NPROCESSORS_CONF), 1L));
  cpu_set_t* set = CPU_ALLOC(cores);
  const size_t bytes = CPU_ALLOC_SIZE(cores);
  std::string mask(cores, '1');
  if (sched_getaffinity(process, bytes, set) == 0)
    for (size_t core = 0; core < cores; ++core) mask[core] = CPU_ISSET_S(core, bytes, set) ? '1' : '0';
  CPU_FREE(set);
  return mask;
}

// The processor time a container is limited to, in cores; infinite without a limit.
double quota_in_cores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return INFINITY;
  return std::strtod(quota.c_str(), nullptr) / period;
}

}  // namespace

CoreShare share_cores(Communicator& control, const std::string& host) {
  const std::string mask = affinity_mask(0);
  std::vector<std::string> neighbours;  // the masks of this host's ranks, this one's among them
  for (const std::string& entry : gather_all(control, concat(mask, host)))
    if (entry.substr(std::min(mask.size(), entry.size())) == host) neighbours.push_back(entry);

  double share = 0;
  int used = 0;
  for (size_t core = 0; core < mask.size(); ++core) {
    const auto ranks = std::ranges::count_if(neighbours, [&](const std::string& entry) { return entry[core] == '1'; });
    if (ranks > 0) ++used;
    if (mask[core] == '1') share += 1.0 / static_cast<double>(ranks);
  }
  share = std::min(share, quota_in_cores() / static_cast<double>(neighbours.size()));

  CoreShare result{.threads = std::max(1, static_cast<int>(share + 1e-9)), .note = {}};
  if (!std::getenv("OMPI_COMM_WORLD_RANK")) return result;  // srun binds to all that the job was given
  // What mpirun itself may run on is what the job was given.
  const std::string given = affinity_mask(getppid());
  const auto available = static_cast<int>(std::ranges::count(given, '1'));
  if (used < available && used < quota_in_cores())
    result.note =
        concat(available - used, " of ", available, " cores of ", host, " are bound to none of its ", neighbours.size(),
               neighbours.size() == 1 ? " rank" : " ranks", ": mpirun --bind-to none, or more ranks, would use them");
  return result;
}

}  // namespace sft
