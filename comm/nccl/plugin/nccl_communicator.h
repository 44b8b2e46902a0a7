// Collectives over device memory, on a stream of their own beside the one that computes.
#pragma once

#include <c10/cuda/CUDAStream.h>
#include <nccl.h>

#include <memory>

#include "comm/communicator.h"

namespace sft::nccl {

class NcclCommunicator final : public Communicator {
 public:
  // Takes `comm` and `control`, which joins host values of the same ranks.
  NcclCommunicator(ncclComm_t comm, int device, std::unique_ptr<Communicator> control);
  ~NcclCommunicator() override;

  int rank() const override { return control_->rank(); }
  int size() const override { return control_->size(); }
  std::string_view backend() const override { return "nccl"; }
  bool overlaps() const override { return true; }

  void all_reduce(Buffer values, Reduction how) override;
  std::unique_ptr<Work> start_all_reduce(Buffer values) override;
  void reduce_scatter(Buffer values, Buffer shard) override;
  void all_gather(Buffer shard, Buffer values) override;
  void broadcast(Buffer values, int root) override;
  void barrier() override;  // the host waits for its device, then for the other ranks
  std::unique_ptr<Communicator> split(int color, int key) override;

  // CommError where an all-reduce of known values comes back wrong.
  void prove();

 private:
  // Queues `call` behind what the current stream has been given so far.
  template <class Call>
  std::unique_ptr<Work> enqueue(std::string_view operation, Call call);

  ncclComm_t comm_;
  c10::DeviceIndex device_;
  std::unique_ptr<Communicator> control_;
  c10::cuda::CUDAStream stream_;
  int exceptions_;
};

}  // namespace sft::nccl
