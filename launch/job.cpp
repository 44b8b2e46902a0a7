#include "launch/job.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/failpoint.h"
#include "base/file_ops.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/stop_request.h"
#include "base/text.h"
#include "comm/agree.h"
#include "comm/agreement.h"
#include "comm/make_communicator.h"
#include "comm/overlapped.h"
#include "comm/traced.h"
#include "launch/deadline.h"
#include "launch/device.h"
#include "launch/discover.h"
#include "launch/failure.h"
#include "launch/launcher_end.h"
#include "launch/program_facts.h"
#include "launch/signals.h"
#include "launch/standard_output.h"
#include "launch/starts.h"

namespace sft {
namespace {

constexpr double kForLauncher = 5;  // seconds that it has to end the job by itself, once a rank has ended it with 76

// `directory`: a run's, or "".
void write_exit_status(const std::string& directory, ExitCode code) {
  try {
    if (!directory.empty() && std::filesystem::is_directory(directory)) end_start(directory, code);
    if (const char* path = std::getenv("SFT_EXIT_STATUS"))
      write_atomically(real_files(), path, concat(static_cast<int>(code), "\n"));
  } catch (const std::exception& error) {
    log::error(concat("the exit status could not be written: ", error.what()));
  }
}

// A stop that was asked for is no error.
void tell(ExitCode code, const std::string& message) {
  code == ExitCode::requeue ? log::info(message) : log::error(message);
}

// One rank's own failure: the others wait in a collective that it will not reach, so it must not wait for
// them. It ends at once, and the launcher ends them.
[[noreturn]] void leave_alone(const Failure& failure, const std::string& directory) {
  tell(failure.code, failure.message);
  write_exit_status(directory, failure.code);
  std::fflush(nullptr);
  ::_exit(static_cast<int>(failure.code));
}

// There is no job yet in which ranks could agree on who speaks. The others wait a second for the first, because a
// launcher may end them all once one has ended.
[[noreturn]] void leave_unjoined(const Failure& failure) {
  if (failure.reach == Reach::everywhere && !is_launchers_first()) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    ::_exit(static_cast<int>(failure.code));
  }
  leave_alone(failure, "");
}

// The others of the host leave the one that tells a second for it.
[[noreturn]] void hang_unjoined(const std::string& message, int rank) {
  if (tells_for_its_host(rank)) {
    end_launcher_after(kForLauncher);
    leave_alone({ExitCode::hang, message}, "");
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  ::_exit(static_cast<int>(ExitCode::hang));
}

// MPI's end, which comes with the process's, waits for all ranks, and the end of a communicator of GPUs for its device.
// All work is done by then, or all ranks have the same error, so the code stands.
void end_in_time(double limit_seconds, ExitCode code, const Placement& placement) {
  if (placement.world == 1) return;
  // Never destroyed: it outlives whatever the end of the process destroys.
  [[maybe_unused]] static const auto* const end =
      new Deadline(limit_seconds, [=, host = placement.host](double waited) {
        const std::string message = who_is_late(host, "end", waited, limit_seconds);
        if (message.empty()) return;
        std::fprintf(stderr, "%s[sft-dist] %s\n", log::stamp().c_str(), message.c_str());
        ::_exit(static_cast<int>(code));
      });
}

void require_common_memory(const std::string& backend, const at::Device& device) {
  if (backend == "mpi" && device.is_cuda())
    throw ConfigError("comm.backend = \"mpi\" sums in host memory, and the run computes on GPUs: auto or nccl");
  if (backend == "nccl" && device.is_cpu())
    throw ConfigError("comm.backend = \"nccl\" sums on GPUs, and the run computes on CPU cores: auto or mpi");
}

}  // namespace

Job::Job(double limit_seconds) : placement_(discover()) {
  log::start(placement_.rank, placement_.world);
  arm_failpoints(placement_.rank);
  signals::install();
  progress().set_phase("start");
  const Deadline start(limit_seconds, [this, limit_seconds](double waited) {
    const std::string message = who_is_late(placement_.host, "start", waited, limit_seconds);
    if (!message.empty()) hang_unjoined(message, placement_.rank);
  });
  failpoint("job.start");
  join(limit_seconds);
}

// From now on a wait that lasts too long ends the job, names the late rank and leaves 76 behind.
void Job::join(double limit_seconds) {
  auto all = make_communicator(placement_.world > 1 ? "mpi" : "solo", placement_);
  number_nodes(placement_, *all);
  failpoint("job.join");
  watchdog_ =
      std::make_unique<Watchdog>(*all, placement_.host, limit_seconds, [this](ExitCode code, const std::string&) {
        write_exit_status(run_directory_, code);
        end_launcher_after(kForLauncher);
      });
  watched_ = std::move(all);
  control_ = traced(watchdog_->watch(watched_->split(0, placement_.rank)));
  show_progress("auto");
  log::detail_of_each_rank(concat("rank ", placement_.rank, " of ", placement_.world, " is process ", ::getpid(),
                                  " on ", placement_.host));
}

Job::~Job() = default;

void Job::show_progress(const std::string& style) {
  if (placement_.rank == 0) console_ = make_console(style);
}

World Job::world(const std::string& device, int64_t threads, const CommConfig& comm) {
  const at::Device chosen = agree_on_device(device, placement_, *control_);
  if (chosen.is_cpu()) require_agreement(*control_, kernel_facts);
  const bool core_is_left = set_threads(threads, *control_);
  if (!gradients_) {
    std::string backend = comm.backend;
    if (backend == "auto") backend = placement_.world == 1 ? "solo" : chosen.is_cuda() ? "nccl" : "mpi";
    together(*control_, [&] { require_common_memory(backend, chosen); });
    const TimedPhase phase("connect");
    gradients_ = traced(watchdog_->connect([&] {
      failpoint("job.connect");
      auto made = make_communicator(backend, placement_);
      const bool overlaps = backend == "mpi" && chosen.is_cpu() && core_is_left;
      return overlaps ? overlapped(std::move(made)) : std::move(made);
    }));
  }
  log::detail(concat("device ", chosen.str(), ", ", at::get_num_threads(), " threads a rank, gradients over ",
                     gradients_->backend()));
  return {*gradients_, *control_, chosen, [] { return stop_requested() != 0; }};
}

int run_job(double limit_seconds, const std::function<ExitCode(Job&)>& body) {
  std::unique_ptr<Job> job;
  Failure failure;
  try {
    job = std::make_unique<Job>(limit_seconds);
    const ExitCode code = body(*job);
    flush_standard_output();
    if (job->control().rank() == 0) write_exit_status(job->run_directory(), code);
    job->control().barrier();
    end_in_time(limit_seconds, code, job->placement());
    return static_cast<int>(code);
  } catch (...) {
    failure = current_failure();
  }
  if (!job) leave_unjoined(failure);
  const std::string directory = job->run_directory();
  if (failure.reach == Reach::here && job->control().size() > 1) leave_alone(failure, directory);
  if (job->control().rank() == 0) {
    tell(failure.code, failure.message);
    write_exit_status(directory, failure.code);
  }
  job->control().barrier();
  end_in_time(limit_seconds, failure.code, job->placement());
  job.reset();
  failpoint("job.end");
  return static_cast<int>(failure.code);
}

}  // namespace sft
