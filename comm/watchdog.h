// A deadline on every collective. Where one lasts longer, the job will not come back: the watchdog
// says which rank is late, of those of its host, and ends the process with 76; mpirun ends the others.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "comm/observed.h"
#include "comm/status_board.h"

namespace sft {

class Watchdog {
 public:
  // Collective over `control`. `before_exit` is called once a host, with the message, from the
  // watchdog's thread, while the rank hangs: to leave a word on disk.
  Watchdog(Communicator& control, const std::string& host, double limit_seconds,
           std::function<void(const std::string& message)> before_exit = {});
  ~Watchdog();

  // The communicator with a deadline on every call, and on those of its parts. It must not outlive
  // the watchdog. A call on a device is watched until it is queued.
  std::unique_ptr<Communicator> watch(std::unique_ptr<Communicator> inner);

  // What this rank is doing between collectives, for the message.
  void at(int64_t step, std::string_view phase);

 private:
  class Watched;

  void run(std::stop_token stop);
  [[noreturn]] void bark(double waited);
  std::string diagnosis(double waited) const;

  StatusBoard board_;
  std::string host_;
  double limit_;
  double period_;
  std::function<void(const std::string&)> before_exit_;
  int64_t calls_ = 0;  // over all watched communicators, which every rank calls in the same order
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses all the others
};

}  // namespace sft
