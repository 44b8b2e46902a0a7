#include "comm/sight.h"

namespace sft {

void Sight::look(double passed) {
  const int64_t call = status_->sequence, beats = status_->progress.beats, ticks = status_->ticks;
  const bool inside = status_->inside;
  const bool same_call = call == call_ && inside == inside_;
  waiting_ = same_call && inside ? waiting_ + passed : 0;
  still_ = same_call && !inside && beats == beats_ ? still_ + passed : 0;
  silent_ = ticks == ticks_ ? silent_ + passed : 0;
  call_ = call;
  beats_ = beats;
  ticks_ = ticks;
  inside_ = inside;
}

}  // namespace sft
