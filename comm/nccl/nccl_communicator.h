// Collectives over device memory, on a stream of their own beside the one that computes.
#pragma once

#include <memory>
#include <string_view>

#include "comm/communicator.h"
#include "comm/device_queue.h"
#include "comm/nccl/device_table.h"
#include "comm/nccl/queued_calls.h"

namespace sft::nccl {

class NcclCommunicator final : public Communicator, public DeviceQueue {
 public:
  // Takes `link` and `control`, which joins host values of the same ranks. `device` is the calling thread's.
  NcclCommunicator(const DeviceTable& table, Link link, int device, std::unique_ptr<Communicator> control);

  // Waits for what is queued; where an exception is what ends it, the others may not come, and the link is aborted.
  // A rank that leaves alone because of an error destroys nothing: the end of its process is what frees the device.
  ~NcclCommunicator() override;

  int rank() const override { return control_->rank(); }
  int size() const override { return control_->size(); }
  std::string_view backend() const override { return "nccl"; }
  bool overlaps() const override { return true; }

  void all_reduce(Buffer values, Reduction how) override;
  std::unique_ptr<Work> start_all_reduce(Buffer values) override;
  void reduce_scatter(Buffer values, Buffer shard) override;
  void all_gather(Buffer shard, Buffer values) override;
  std::unique_ptr<Work> start_reduce_scatter(Buffer values, Buffer shard) override;
  std::unique_ptr<Work> start_all_gather(Buffer shard, Buffer values) override;
  void broadcast(Buffer values, int root) override;
  void barrier() override;  // the host waits for its device, then for the other ranks
  std::unique_ptr<Communicator> split(int color, int key) override;

  State look() override;

  // CommError where an all-reduce of known values comes back wrong.
  void prove();

 private:
  // Queues `call` behind what the current stream has been given so far.
  template <class Call>
  std::unique_ptr<Work> enqueue(std::string_view operation, Call call);

  const DeviceTable& table_;
  Link link_;
  int device_;
  std::unique_ptr<Communicator> control_;
  Stream stream_;
  StreamPoint before_;  // the current stream's end when a call was made; recorded anew by each
  QueuedCalls queued_;
  int exceptions_;
};

}  // namespace sft::nccl
