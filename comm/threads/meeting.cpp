#include "comm/threads/meeting.h"

#include "base/text.h"

namespace sft::threads {

Meeting::Meeting(int size) : posts_(static_cast<size_t>(size)), barrier_(size, Decide{this}) {}

void Meeting::arrive(int rank, std::string_view operation) {
  barrier_.arrive_and_wait();
  if (!verdict_.empty()) throw PeerLost(concat("rank ", rank, ", ", operation, ": ", verdict_));
}

void Meeting::leave(int rank, bool failed) {
  {
    const std::lock_guard lock(mutex_);
    if (left_.empty()) left_ = concat("rank ", rank, failed ? " failed" : " has left");
  }
  barrier_.arrive_and_drop();
}

void Meeting::Decide::operator()() noexcept {
  const std::lock_guard lock(meeting->mutex_);
  if (meeting->verdict_.empty()) meeting->verdict_.swap(meeting->left_);
}

}  // namespace sft::threads
