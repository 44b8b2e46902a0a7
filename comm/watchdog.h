// A deadline on every wait. A rank that is not responding, or that others wait for while it gives no sign of life
// (base/progress.h), will not come any more: the watchdog names it, with the step and the phase of its work, and ends
// the process with 76; mpirun ends the others. A rank that works may be waited for as long as it takes.
//
// A collective on a device is over for its caller once it is queued. Its device's queue is looked at as well: a rank
// whose device does not get on with it waits, wherever its thread is, and an error that came after the call had
// returned ends the process with 69.
//
// Only ranks of one host see each other's signs of life. For a rank of another host the wait itself has the deadline.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "comm/device_watch.h"
#include "comm/observed.h"
#include "comm/sight.h"
#include "comm/status_board.h"

namespace sft {

class Watchdog {
 public:
  // Collective over `control`. `before_exit` is called from a thread of the watchdog's, while the rank hangs, with what
  // it is about to end with: to leave a word on disk; of a hang once a host. Until its destruction the calling thread's
  // progress stands where the others see it.
  Watchdog(Communicator& control, const std::string& host, double limit_seconds,
           std::function<void(ExitCode code, const std::string& message)> before_exit = {});
  ~Watchdog();

  // The communicator with a deadline on every call, and on those of its parts. It must not outlive the watchdog. A call
  // on a device is watched until the device has finished it. What `inner` wraps is not seen: a device's communicator is
  // watched itself.
  std::unique_ptr<Communicator> watch(std::unique_ptr<Communicator> inner);

  // watch() of what make() gives, which every rank calls and which waits for all: its deadline is this one's too.
  std::unique_ptr<Communicator> connect(const std::function<std::unique_ptr<Communicator>()>& make);

 private:
  class Watched;

  void begin(Operation::Kind kind, size_t bytes);
  void end() noexcept { board_.mine().inside = false; }

  void look(double passed);
  bool is_late(const Sight& sight) const;
  bool is_silent(const Sight& sight) const;
  bool one_is_silent() const;
  bool one_is_late() const;
  double limit() const;
  bool must_bark() const;
  [[noreturn]] void bark();
  [[noreturn]] void end(ExitCode code, const std::string& message);
  std::string diagnosis() const;
  std::string finished_by_rank() const;

  StatusBoard board_;
  std::vector<Sight> sights_;  // of this host, by rank
  const Sight* own_ = nullptr;
  std::string host_;
  double limit_;
  double period_;
  std::function<void(ExitCode, const std::string&)> before_exit_;
  int64_t calls_ = 0;    // over all watched communicators, which every rank calls in the same order
  std::mutex ending_;    // of the thread that ends the process; never left
  DeviceWatch devices_;  // behind what it uses
  std::jthread thread_;  // never waits for a device; last: it uses all the others
};

}  // namespace sft
