// What a watchdog has seen of one rank of its host, look by look.
#pragma once

#include <cstdint>

#include "comm/status_board.h"

namespace sft {

// Time is counted in looks and not by the clock: a job that was suspended as a whole has not been waiting meanwhile.
class Sight {
 public:
  explicit Sight(const StatusBoard::Line& line) : rank_(line.rank), status_(line.status) {}

  // `passed` seconds after the look before.
  void look(double passed);

  int rank() const { return rank_; }
  const Status& status() const { return *status_; }

  bool waits() const { return inside_; }       // for the others, in a collective
  double waiting() const { return waiting_; }  // seconds in the same one
  double still() const { return still_; }      // seconds outside of any without a sign of life
  double silent() const { return silent_; }    // seconds without its watchdog: the process is stopped, or gone

  // Collectives begun count odd, ended ones even: a rank with less is behind.
  int64_t place() const { return 2 * call_ - (inside_ ? 1 : 0); }

 private:
  int rank_;
  const Status* status_;
  int64_t call_ = 0, beats_ = 0, ticks_ = 0;
  bool inside_ = false;
  double waiting_ = 0, still_ = 0, silent_ = 0;
};

}  // namespace sft
