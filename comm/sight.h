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

  // For the others: in a collective, or for its device, which has not finished all that is queued on it, while it gives
  // no sign of life.
  bool waits() const { return inside_ || held_by_device_; }
  double waiting() const { return waiting_; }  // seconds for the same
  double still() const { return still_; }      // seconds that it does not wait without a sign of life
  double silent() const { return silent_; }    // seconds without its watchdog: the process is stopped, or gone

  // Collectives begun count odd, ended ones even: a rank with less is behind.
  int64_t place() const { return 2 * call_ - (inside_ ? 1 : 0); }

 private:
  int rank_;
  const Status* status_;
  int64_t call_ = 0, beats_ = 0, ticks_ = 0, finished_ = 0;
  bool inside_ = false, held_by_device_ = false;
  double waiting_ = 0, still_ = 0, silent_ = 0;
};

}  // namespace sft
