#include "launch/signals.h"

#include <signal.h>
#include <string.h>

#include <array>

#include "base/stop_request.h"

namespace sft::signals {
namespace {

constexpr std::array kRequests{SIGUSR1, SIGUSR2, SIGTERM, SIGINT};

// Only what is safe in a handler.
void take(int signal) {
  if (request_stop(signal)) return;
  if (signal != SIGTERM && signal != SIGINT) return;
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void handle(int flags) {
  struct sigaction action {};
  action.sa_handler = take;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  for (const int signal : kRequests) sigaction(signal, &action, nullptr);
}

}  // namespace

void install() {
  handle(SA_RESTART);          // reads and writes in flight go on
  ::signal(SIGXFSZ, SIG_IGN);  // a file beyond the limit of its size is an error of the write, which is told
}

void wake_readers() { handle(0); }

void outlive_readers() { ::signal(SIGPIPE, SIG_IGN); }

std::string name_of(int signal) {
  const char* name = sigabbrev_np(signal);
  return name ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

}  // namespace sft::signals
