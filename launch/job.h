// This process's place in the job, from its first line to its exit code: communicators, device, threads,
// signals, and the one place where an error becomes the end of a process.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/errors.h"
#include "comm/communicator.h"
#include "comm/placement.h"
#include "comm/watchdog.h"
#include "trainer/assembly/world.h"
#include "trainer/config/run_config.h"
#include "trainer/telemetry/event.h"

namespace sft {

class Job {
 public:
  // Finds out where this process stands and joins the control communicator. Every wait of the job has a deadline of
  // `limit_seconds`, this one too (comm/watchdog.h): the late rank is named, and the process ends with 76.
  explicit Job(double limit_seconds);
  ~Job();

  const Placement& placement() const { return placement_; }
  Communicator& control() { return *control_; }

  // Device, threads and the communicator of gradients, as the config says. `world` borrows from this.
  World world(const std::string& device, int64_t threads, const CommConfig& comm);

  // From now on the exit code is written to `directory`/exit_status, by rank 0.
  void report_exit_to(const std::string& directory) { run_directory_ = directory; }
  const std::string& run_directory() const { return run_directory_; }

  // How work that takes long is shown from now on, in the style of log.progress; before, as on "auto".
  void show_progress(const std::string& style);

 private:
  void join(double limit_seconds);

  Placement placement_;
  std::unique_ptr<Communicator> watched_;  // what the watchdog itself talks over
  std::unique_ptr<Watchdog> watchdog_;
  std::unique_ptr<Communicator> control_;
  std::unique_ptr<Communicator> gradients_;
  std::string run_directory_;
  Sink console_;
};

// Runs a command's body on every rank and returns the process's exit code. An error that every rank has is told
// once, by rank 0, and all leave in order; an error that one rank has is told by it, and the launcher ends the others.
// `limit_seconds` is Job's.
int run_job(double limit_seconds, const std::function<ExitCode(Job&)>& body);

}  // namespace sft
