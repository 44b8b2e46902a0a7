// What a thread that works for a rank is doing, for those who wait for that rank: the phase of its work, the step, and
// a count that goes up for as long as the work comes on. comm/watchdog.h has it kept where other ranks see it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/stopwatch.h"

namespace sft {

// Written by one thread, read by others. May lie in memory that processes share; zeros are the beginning.
struct Progress {
  std::atomic<int64_t> beats{0};
  std::atomic<int64_t> step{0};                  // of training, from 1; 0 before
  std::array<std::atomic<uint64_t>, 2> phase{};  // 16 characters

  void set_phase(std::string_view name);
  std::string phase_name() const;
};

// The calling thread's own.
Progress& progress();

// Has the calling thread's progress kept in `place`, which begins with what it was; null: in memory of its own again.
void keep_progress_in(Progress* place);

// A sign of life. Every loop calls it that may go on for long while other ranks wait: one that gives none for
// comm.timeout_seconds is taken for stuck.
inline void beat() {
  std::atomic<int64_t>& beats = progress().beats;
  beats.store(beats.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// The phase of the calling thread's work from construction to destruction, then the one before again.
class Phase {
 public:
  explicit Phase(std::string_view name) : before_(progress().phase_name()) { progress().set_phase(name); }
  ~Phase() { progress().set_phase(before_); }
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

 private:
  std::string before_;
};

// A phase whose time is told with -v, when it ends.
class TimedPhase {
 public:
  explicit TimedPhase(std::string_view name) : name_(name), phase_(name) {}
  ~TimedPhase();
  TimedPhase(const TimedPhase&) = delete;
  TimedPhase& operator=(const TimedPhase&) = delete;

 private:
  std::string name_;
  Phase phase_;
  Stopwatch watch_;
};

}  // namespace sft
