// Where ranks that are threads meet: each posts what it brings, waits for the others, works on what
// all have posted, and waits again. A rank that leaves, by an exception or by returning too early,
// leaves no one waiting: the others learn of it at their next meeting.
#pragma once

#include <barrier>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/errors.h"
#include "comm/communicator.h"

namespace sft::threads {

// What a rank gets because another has left: never the cause, always a consequence.
struct PeerLost : CommError {
  using CommError::CommError;
};

class Meeting {
 public:
  struct Post {
    Buffer values;
    Buffer shard;
    int color = 0;
    int key = 0;
    std::shared_ptr<Meeting> next;  // a smaller meeting, made by its first member
  };

  explicit Meeting(int size);

  int size() const { return static_cast<int>(posts_.size()); }
  Post& post(int rank) { return posts_[static_cast<size_t>(rank)]; }
  const Post& post(int rank) const { return posts_[static_cast<size_t>(rank)]; }

  // Returns when all have arrived. PeerLost where one has left: on every rank, at the same meeting.
  void arrive(int rank, std::string_view operation);

  // This rank comes no more.
  void leave(int rank, bool failed);

 private:
  // Once a meeting, by the last to arrive: one verdict for all, although a rank may leave while
  // others still wake up.
  struct Decide {
    Meeting* meeting;
    void operator()() noexcept;
  };

  std::vector<Post> posts_;
  std::mutex mutex_;
  std::string left_;     // who left first; guarded by mutex_
  std::string verdict_;  // left_, as of this meeting; written only while all wait
  std::barrier<Decide> barrier_;
};

}  // namespace sft::threads
