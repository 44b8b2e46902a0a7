// What this machine offers, in a page: versions, ranks, cores, shared memory, and a timed all-reduce.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/ones.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <span>
#include <sstream>
#include <vector>

#include "base/process.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "comm/agree.h"
#include "comm/mpi/mpi.h"
#include "comm/nccl/nccl.h"
#include "launch/commands/commands.h"
#include "launch/version.h"
#include "trainer/assembly/gemm_peak.h"
#include "trainer/parallel/gradient_sync.h"

namespace sft {
namespace {

// Seconds of the slowest rank, the best of a few.
double timed_all_reduce(const World& world, int64_t bytes) {
  const at::Tensor values = at::ones({bytes / static_cast<int64_t>(sizeof(float))}, at::TensorOptions(world.device));
  int64_t best = INT64_MAX;
  for (int i = 0; i < 5; ++i) {
    world.gradients.barrier();
    const Stopwatch watch;
    world.gradients.all_reduce(buffer_of(values));
    values[0].item();  // which waits for the device
    best = std::min(best, max(world.control, static_cast<int64_t>(watch.seconds() * 1e9)));
  }
  return static_cast<double>(best) * 1e-9;
}

void line(const std::string& name, const std::string& value) {
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

// And why it is none where it is no GPU.
std::string device_text(const c10::Device& device) {
  return device.is_cuda() ? device.str() : concat(device.str(), " (no GPU: ", nccl::devices().reason, ")");
}

}  // namespace

ExitCode doctor(const Arguments&, Job& job) {
  const World world = job.world("auto", 0, {});
  const double peak = sum(job.control(), measured_gemm_flops(world.device, at::kFloat));
  std::vector<std::string> times;
  for (const int64_t bytes : {int64_t{4} << 10, int64_t{1} << 20, int64_t{64} << 20})
    times.push_back(concat(human_bytes(static_cast<double>(bytes)), " in ", std::setprecision(3),
                           timed_all_reduce(world, bytes) * 1e3, " ms"));
  const Placement& place = job.placement();
  const std::string places = join(gather_all(job.control(), concat(place.host, ":", place.local_rank)), ", ");
  const std::string threads = join(gather_all(job.control(), std::to_string(at::get_num_threads())), ", ");
  std::vector<std::string> hosts = gather_all(job.control(), place.local_rank == 0 ? host_facts(place.host) : "");
  std::erase(hosts, "");
  if (job.control().rank() != 0) return ExitCode::done;
  line("version", version_text());
  line("ranks", concat(job.control().size(), " (", world.gradients.backend(), ")"));
  line("MPI", mpi::library_name());
  line("host:local rank", places);
  for (const std::string& host : hosts) line("host", host);
  line("device", device_text(world.device));
  line("threads a rank", threads);
  line("GEMM peak, all ranks", concat(std::setprecision(4), peak * 1e-9, " GFLOP/s in float32"));
  line("all-reduce", job.control().size() > 1
                         ? join(times, ", ")
                         : "nothing to time: one rank alone (mpirun -np 2 sft-dist doctor times it)");
  line("/dev/shm", free_space("/dev/shm") + " (ranks of a node reduce through it)");
  line("this directory", free_space("."));
  line("CPU kernels", at::get_cpu_capability());
  std::cout << std::flush;
  return ExitCode::done;
}

}  // namespace sft
