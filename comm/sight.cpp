#include "comm/sight.h"

namespace sft {

void Sight::look(double passed) {
  const int64_t call = status_->sequence, beats = status_->progress.beats, ticks = status_->ticks;
  const int64_t finished = status_->finished;
  const bool inside = status_->inside;
  const bool same_call = call == call_ && inside == inside_;
  const bool is_quiet = same_call && !inside && beats == beats_;
  held_by_device_ = is_quiet && finished == finished_ && finished != status_->queued;
  waiting_ = (same_call && inside) || held_by_device_ ? waiting_ + passed : 0;
  still_ = is_quiet && !held_by_device_ ? still_ + passed : 0;
  silent_ = ticks == ticks_ ? silent_ + passed : 0;
  call_ = call;
  beats_ = beats;
  ticks_ = ticks;
  finished_ = finished;
  inside_ = inside;
}

}  // namespace sft
