// What this machine offers, in a page: versions, ranks, cores, shared memory, and a timed all-reduce.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <span>
#include <sstream>
#include <vector>

#include "base/process.h"
#include "base/text.h"
#include "comm/agree.h"
#include "comm/mpi/mpi.h"
#include "comm/nccl/nccl.h"
#include "launch/commands/commands.h"
#include "launch/version.h"
#include "trainer/assembly/gemm_peak.h"
#include "trainer/preflight/time_sums.h"

namespace sft {
namespace {

void tell(const std::string& name, const std::string& value) {
  std::cout << std::left << std::setw(22) << name << value << '\n';
}

std::string free_space(const char* path) {
  struct statvfs stats {};
  if (::statvfs(path, &stats) != 0) return "not there";
  return human_bytes(static_cast<double>(stats.f_bavail) * static_cast<double>(stats.f_frsize)) + " free";
}

// Of the host of this rank.
std::string host_facts(const std::string& host) {
  double load = 0;
  ::getloadavg(&load, 1);
  std::ostringstream text;
  text << host << ": " << ::sysconf(_SC_NPROCESSORS_ONLN) << " cores, load " << std::fixed << std::setprecision(1)
       << load << ", " << human_bytes(static_cast<double>(memory_limit_bytes())) << " of memory, "
       << human_bytes(static_cast<double>(available_memory_bytes())) << " free";
  return text.str();
}

std::string text_of(const std::vector<planning::TimedSum>& sums) {
  std::vector<std::string> texts;
  for (const planning::TimedSum& sum : sums)
    texts.push_back(concat(human_bytes(static_cast<double>(sum.bytes)), " in ", std::setprecision(3),
                           sum.seconds * 1e3, " ms"));
  return join(texts, ", ");
}

// As NCCL's tests have it (their doc/PERFORMANCE.md): what each link carries of a sum over W ranks,
// 2(W-1)/W · bytes / time.
std::string bus_bandwidth_text(const std::vector<planning::TimedSum>& sums, int ranks) {
  const double share = 2.0 * (ranks - 1) / ranks;
  std::vector<std::string> texts;
  for (const planning::TimedSum& sum : sums) {
    const auto bytes = static_cast<double>(sum.bytes);
    texts.push_back(concat(human_bytes(bytes), " at ", std::setprecision(3), share * bytes / sum.seconds * 1e-9));
  }
  return join(texts, ", ") + " GB/s";
}

// As sft-dist plan takes them. Nodes count where there are several: their links are the slow ones.
std::string links_text(const std::vector<planning::TimedSum>& sums, int ranks, int nodes) {
  const bool over_nodes = nodes > 1;
  const planning::Link link = planning::fit(sums, over_nodes ? nodes : ranks);
  if (!std::isfinite(link.bandwidth)) return "no bandwidth is told: these sums take no longer the larger they are";
  return concat("--latency ", std::setprecision(3), link.latency * 1e6, "us --bandwidth ", link.bandwidth * 1e-9,
                "GB/s, ", over_nodes ? "between nodes" : "within a node", ", fitted to these sums (for sft-dist plan)");
}

// And why it is none where it is no GPU.
std::string device_text(const c10::Device& device) {
  return device.is_cuda() ? device.str() : concat(device.str(), " (no GPU: ", nccl::devices().reason, ")");
}

// What the program sees of this host's GPUs; "" where it sees none.
std::string gpus_text(const std::string& host) {
  const std::vector<std::string> uuids = nccl::devices().uuids;
  return uuids.empty() ? "" : concat(host, ": ", uuids.size(), ", ", join(uuids, ", "));
}

}  // namespace

ExitCode doctor(const Arguments&, Job& job) {
  const World world = job.world("auto", 0, {});
  const double peak = sum(job.control(), measured_gemm_flops(world.device, at::kFloat));
  const Placement& place = job.placement();
  const bool alone = job.control().size() == 1;
  const std::vector<planning::TimedSum> sums = alone ? std::vector<planning::TimedSum>{} : time_sums(world);
  const std::string places = join(gather_all(job.control(), concat(place.host, ":", place.local_rank)), ", ");
  const std::string threads = join(gather_all(job.control(), std::to_string(at::get_num_threads())), ", ");
  std::vector<std::string> hosts = gather_all(job.control(), place.local_rank == 0 ? host_facts(place.host) : "");
  std::erase(hosts, "");
  std::vector<std::string> gpus = gather_all(job.control(), place.local_rank == 0 ? gpus_text(place.host) : "");
  std::erase(gpus, "");
  if (job.control().rank() != 0) return ExitCode::done;
  tell("version", version_text());
  tell("ranks", concat(job.control().size(), " (", world.gradients.backend(), ")"));
  tell("MPI", mpi::library_name());
  tell("host:local rank", places);
  for (const std::string& host : hosts) tell("host", host);
  for (const std::string& of_host : gpus) tell("GPUs", of_host);
  tell("device", device_text(world.device));
  tell("threads a rank", threads);
  tell("GEMM peak, all ranks", concat(std::setprecision(4), peak * 1e-9, " GFLOP/s in float32"));
  tell("all-reduce", alone ? "nothing to time: one rank alone (mpirun -np 2 sft-dist doctor times it)" : text_of(sums));
  if (!alone) tell("bus bandwidth", bus_bandwidth_text(sums, job.control().size()));
  if (!alone) tell("links", links_text(sums, job.control().size(), static_cast<int>(hosts.size())));
  tell("/dev/shm", free_space("/dev/shm") + " (ranks of a node reduce through it)");
  tell("this directory", free_space("."));
  tell("CPU kernels", at::get_cpu_capability());
  std::cout << std::flush;
  return ExitCode::done;
}

}  // namespace sft
