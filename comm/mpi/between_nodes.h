// Collectives of ranks on several nodes: each node combines what its ranks have, the leaders send that over the
// network, and all ranks take the result from the memory of their node. What a node sends does not grow with its ranks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "comm/mpi/leaders.h"
#include "comm/mpi/node_memory.h"
#include "comm/turns.h"

namespace sft::mpi {

class BetweenNodes {
 public:
  static constexpr int kSlotsOfResults = 16;  // of NodeMemory: two pieces

  // `leaders` is 0 on ranks that lead none, and passes here; `leader_of` has of each rank of the world the rank that
  // leads its node.
  BetweenNodes(NodeMemory& memory, SftComm leaders, const std::vector<int>& leader_of, int rank);
  void release() noexcept;

  size_t count() const { return first_places_.size() - 1; }  // of nodes

  void all_reduce(Buffer values, Reduction how);
  void reduce_scatter(Buffer values, Buffer shard);
  void all_gather(Buffer shard, Buffer values);
  void barrier();

 private:
  // Piece k is filled by the node, then sent by its leader, then taken by its ranks: the next is filled while one is
  // sent.
  struct Steps {
    std::function<void(int64_t piece, std::byte*result)> fill, send, take;
  };
  void in_pieces(int64_t pieces, const Steps& steps);

  std::byte* half(int64_t piece) const;
  int64_t run_bytes() const;  // of each rank of the world in a piece
  void fill(std::byte* result, const std::byte* values, int64_t count, Element element, Reduction how);
  std::vector<int64_t> bounds_of_nodes(int64_t run) const;

  NodeMemory& memory_;
  std::optional<Leaders> leaders_;
  int rank_;
  std::vector<int> order_;             // the ranks of the world, node by node
  std::vector<int> place_;             // of each rank in it
  std::vector<int64_t> first_places_;  // of each node in it, and its end
  std::vector<std::byte> arranged_;
  std::optional<Turns> network_;  // of a leader that had several pieces to send; last, so that it ends first
};

}  // namespace sft::mpi
