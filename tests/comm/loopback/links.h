// Loopback links: what joins the devices of some ranks.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/comm/loopback/meeting_place.h"
#include "tests/comm/loopback/streams.h"

namespace sft::test::loopback {

// Under the machine's lock: devices get their links back.
void restore_links();

class LoopbackLink : public std::enable_shared_from_this<LoopbackLink> {
 public:
  // Every rank of it, of which all come before any goes on.
  LoopbackLink(const nccl::Address& address, int device, int rank, int size);

  int device() const { return device_; }
  std::string lost_reason() const;

  std::shared_ptr<LoopbackLink> split(int color, int key);

  // Queues the call in the stream; `in` may lie in `out`, as communicator.h says.
  void queue(LoopbackStream& stream, const Call& call, const void* in, void* out);
  void wait_until_done();
  void abort();

 private:
  bool is_aborted() const { return aborted_; }
  bool meet(MeetingPlace::Barrier& barrier);  // from a stream; false: it was aborted
  void meet_on_host();
  void never_end();
  void run(const Call& call, const void* in, void* out);
  bool exchange(const Call& call, const std::vector<std::byte>& in, std::byte* out);

  MeetingPlace place_;
  int device_, rank_, size_;
  std::atomic<bool> aborted_{false};
  int64_t open_ = 0;  // calls that are queued and not done; under the machine's lock
};

}  // namespace sft::test::loopback
