// A deadline on what no watchdog sees: the start of MPI, the first meeting of all ranks, and the end of MPI.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "launch/command_line/command_line.h"

namespace sft {

// comm.timeout_seconds of the config or run that a command line names; the default where it names none that can be
// read, which the command will tell.
double waiting_limit(const Arguments& arguments);

class Deadline {
 public:
  // Calls late(waited) after each further `seconds` in which the process could run, until this is destroyed.
  Deadline(double seconds, std::function<void(double waited)> late);

 private:
  void run(std::stop_token stop, double seconds);

  std::function<void(double)> late_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses all the others
};

// The ranks that have not come, in words: "late: rank 1, host node7, in start, stopped; others wait …". "" as long as
// none of this host's is stopped and the wait is shorter than the usual comm.timeout_seconds: programs and libraries
// that are loaded from a crowded disk give no sign of life. `host` is this one.
std::string who_is_late(const std::string& host, const std::string& phase, double waited, double limit);

// Whether this rank is the one of its host to tell.
bool tells_for_its_host(int rank);

}  // namespace sft
