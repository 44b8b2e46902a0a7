// The communicator behind mpi::connect.
#pragma once

#include <optional>

#include "comm/communicator.h"
#include "comm/mpi/between_nodes.h"
#include "comm/mpi/library/sft_mpi.h"
#include "comm/mpi/mpi.h"
#include "comm/mpi/node_memory.h"

namespace sft::mpi {

class MpiCommunicator final : public Communicator {
 public:
  // Collective over `world`, whose ownership passes here. Ranks with the same `node` that can share
  // memory do.
  MpiCommunicator(SftComm world, int node, const Options& options);
  ~MpiCommunicator() override;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string_view backend() const override { return "mpi"; }

  void all_reduce(Buffer values, Reduction how) override;
  void reduce_scatter(Buffer values, Buffer shard) override;
  void all_gather(Buffer shard, Buffer values) override;
  void broadcast(Buffer values, int root) override;
  void barrier() override;
  std::unique_ptr<Communicator> split(int color, int key) override;

 private:
  bool one_node() const { return !nodes_; }
  void all_reduce_small(Buffer values, Reduction how);

  // Within one node, by pieces: `post(begin, count, own)` writes what this rank brings, then
  // `read(begin, count, posted)` sees posted(peer) of every rank. At most kSmallBytes cost one barrier.
  template <class Post, class Read>
  void exchange(size_t bytes, Post post, Read read);

  void reduce_scatter_in_memory(Buffer values, Buffer shard);
  void all_gather_in_memory(Buffer shard, Buffer values);

  SftComm world_;
  int node_;
  Options options_;
  int rank_ = 0;
  int size_ = 1;
  int generation_ = 0;
  int exceptions_;
  std::optional<NodeMemory> memory_;
  std::optional<BetweenNodes> nodes_;  // where there are several
  std::vector<const std::byte*> parts_;
};

}  // namespace sft::mpi
