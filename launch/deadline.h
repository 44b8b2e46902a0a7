// A deadline on what no watchdog sees: the start of MPI, the first meeting of all ranks, and the end of MPI.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "launch/command_line.h"

namespace sft {

// comm.timeout_seconds of the config or run that a command line names; the default where it names none that can be
// read, which the command will tell.
double waiting_limit(const Arguments& arguments);

class Deadline {
 public:
  // Calls expired() after `seconds` in which the process could run, unless it is destroyed before.
  Deadline(double seconds, std::function<void()> expired);

 private:
  void run(std::stop_token stop, double seconds);

  std::function<void()> expired_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses all the others
};

// The ranks that have not come, in words: "late: rank 1, host node7, in start, stopped". `host` is this one.
std::string who_is_late(const std::string& host, const std::string& phase, double seconds);

// Whether this rank is the one of its host to tell.
bool tells_for_its_host(int rank);

}  // namespace sft
