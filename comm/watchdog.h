// A deadline on every wait. A rank that is not responding, or that others wait for while it gives no sign of life
// (base/progress.h), will not come any more: the watchdog names it, with the step and the phase of its work, and ends
// the process with 76; mpirun ends the others. A rank that works may be waited for as long as it takes.
//
// Only ranks of one host see each other's signs of life. For a rank of another host the wait itself has the deadline.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "comm/observed.h"
#include "comm/sight.h"
#include "comm/status_board.h"

namespace sft {

class Watchdog {
 public:
  // Collective over `control`. `before_exit` is called once a host, with the message, from the
  // watchdog's thread, while the rank hangs: to leave a word on disk. Until its destruction the calling thread's
  // progress stands where the others see it.
  Watchdog(Communicator& control, const std::string& host, double limit_seconds,
           std::function<void(const std::string& message)> before_exit = {});
  ~Watchdog();

  // The communicator with a deadline on every call, and on those of its parts. It must not outlive
  // the watchdog. A call on a device is watched until it is queued.
  std::unique_ptr<Communicator> watch(std::unique_ptr<Communicator> inner);

  // watch() of what make() gives, which every rank calls and which waits for all: its deadline is this one's too.
  std::unique_ptr<Communicator> connect(const std::function<std::unique_ptr<Communicator>()>& make);

 private:
  class Watched;

  void begin(Operation::Kind kind, size_t bytes);
  void end() noexcept { board_.mine().inside = false; }

  void run(std::stop_token stop);
  bool is_late(const Sight& sight) const;
  bool is_silent(const Sight& sight) const;
  bool one_is_silent() const;
  bool one_is_late() const;
  double limit() const;
  bool must_bark() const;
  [[noreturn]] void bark();
  std::string diagnosis() const;

  StatusBoard board_;
  std::vector<Sight> sights_;  // of this host, by rank
  const Sight* own_ = nullptr;
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
