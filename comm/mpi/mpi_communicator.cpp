#include "comm/mpi/mpi_communicator.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <exception>
#include <utility>

#include "base/errors.h"
#include "base/log.h"
#include "base/text.h"
#include "comm/combine.h"
#include "comm/mpi/library/library.h"
#include "comm/mpi/node.h"
#include "comm/mpi/node_sum.h"
#include "comm/mpi/session.h"

namespace sft::mpi {
namespace {

// MPI counts in int.
constexpr size_t kMostAtOnce = size_t{1} << 30;

void copy_bytes(const void* from, void* to, size_t bytes) {
  if (bytes > 0 && from != to) std::memcpy(to, from, bytes);
}

}  // namespace

MpiCommunicator::MpiCommunicator(SftComm world, int node, const Options& options)
    : world_(world), node_(node), options_(options), exceptions_(std::uncaught_exceptions()) {
  rank_ = rank_in(world_);
  size_ = size_of(world_);
  parts_.resize(static_cast<size_t>(size_));
  const Node found = find_node(world_, node_, options_);
  memory_.emplace(found.ranks, found.slot_bytes, found.result_slots);
  if (memory_->size() < size_)
    nodes_.emplace(*memory_, split_by(world_, memory_->rank() == 0 ? 0 : SFT_NOWHERE, 0), found.leader_of, rank_);
  static bool told = false;  // once, for however many communicators
  if (nodes_ && rank_ == 0 && !std::exchange(told, true))
    log::info(concat(nodes_->count(),
                     " nodes: what goes between them in host memory is exchanged in parts by one rank of "
                     "each, a part combined by each node in the order of the nodes"));
}

MpiCommunicator::~MpiCommunicator() {
  if (std::uncaught_exceptions() > exceptions_) {
    abandon();
    return;
  }
  if (nodes_) nodes_->release();
  memory_->release();
  leave(world_);
}

void MpiCommunicator::all_reduce(Buffer values, Reduction how) {
  if (size_ == 1) return;
  if (!one_node()) return nodes_->all_reduce(values, how);
  if (values.bytes() <= NodeMemory::kSmallBytes) return all_reduce_small(values, how);
  const int64_t most = slot_elements(*memory_, values.element);
  for (int64_t begin = 0; begin < values.count; begin += most) {
    const int64_t count = std::min(most, values.count - begin);
    combine_on_node(*memory_, at(values, begin), count, values.element, how, memory_->results());
    narrow(values.element, memory_->results(), at(values, begin), count);
  }
}

// Every rank combines everything itself, in the same order.
void MpiCommunicator::all_reduce_small(Buffer values, Reduction how) {
  const auto post = [&](size_t, size_t bytes, std::byte* own) { copy_bytes(values.data, own, bytes); };
  exchange(values.bytes(), post, [&](size_t, size_t, const auto& posted) {
    for (int peer = 0; peer < size_; ++peer) parts_[static_cast<size_t>(peer)] = posted(peer);
    alignas(64) std::array<std::byte, 2 * NodeMemory::kSmallBytes> result;
    combine(how, values.element, parts_, result.data(), values.count);
    narrow(values.element, result.data(), static_cast<std::byte*>(values.data), values.count);
  });
}

void MpiCommunicator::reduce_scatter(Buffer values, Buffer shard) {
  assert(values.count == shard.count * size_ && values.element == shard.element);
  if (size_ == 1)
    copy_bytes(values.data, shard.data, values.bytes());
  else if (one_node())
    reduce_scatter_in_memory(values, shard);
  else
    nodes_->reduce_scatter(values, shard);
}

// Each rank posts a run of every other's shard, and combines the posted runs of its own, in rank order as all_reduce
// does: nothing is summed that nobody here asked for, and no sum is read by another.
void MpiCommunicator::reduce_scatter_in_memory(Buffer values, Buffer shard) {
  const size_t width = bytes_of(values.element), wide_width = bytes_of(wide(values.element));
  const auto most = static_cast<int64_t>(memory_->slot_bytes() / wide_width) / size_;
  assert(most > 0);
  const auto place_of = [&](int rank) { return static_cast<size_t>(rank * most); };  // of a shard's run in a slot
  std::byte* const result = memory_->results() + place_of(rank_) * wide_width;
  for (int64_t begin = 0; begin < shard.count; begin += most) {
    const int64_t count = std::min(most, shard.count - begin);
    for (int peer = 0; peer < size_; ++peer)
      if (peer != rank_)
        copy_bytes(at(values, shard.count * peer + begin), memory_->slot(rank_) + place_of(peer) * width,
                   static_cast<size_t>(count) * width);
    memory_->barrier();
    for (int peer = 0; peer < size_; ++peer)
      parts_[static_cast<size_t>(peer)] =
          peer == rank_ ? at(values, shard.count * rank_ + begin) : memory_->slot(peer) + place_of(rank_) * width;
    combine(Reduction::sum, values.element, parts_, result, count);
    narrow(values.element, result, at(shard, begin), count);
    memory_->barrier();
  }
}

void MpiCommunicator::all_gather(Buffer shard, Buffer values) {
  assert(values.count == shard.count * size_ && values.element == shard.element);
  if (size_ == 1)
    copy_bytes(shard.data, values.data, shard.bytes());
  else if (one_node())
    all_gather_in_memory(shard, values);
  else
    nodes_->all_gather(shard, values);
}

void MpiCommunicator::all_gather_in_memory(Buffer shard, Buffer values) {
  const auto post = [&](size_t begin, size_t count, std::byte* own) {
    copy_bytes(static_cast<const std::byte*>(shard.data) + begin, own, count);
  };
  exchange(shard.bytes(), post, [&](size_t begin, size_t count, const auto& posted) {
    for (int peer = 0; peer < size_; ++peer)
      copy_bytes(posted(peer), static_cast<std::byte*>(values.data) + shard.bytes() * static_cast<size_t>(peer) + begin,
                 count);
  });
}

void MpiCommunicator::broadcast(Buffer values, int root) {
  assert(root >= 0 && root < size_);
  auto* const data = static_cast<std::byte*>(values.data);
  if (one_node()) {
    const auto post = [&](size_t begin, size_t count, std::byte* own) {
      if (rank_ == root) copy_bytes(data + begin, own, count);
    };
    return exchange(values.bytes(), post, [&](size_t begin, size_t count, const auto& posted) {
      if (rank_ != root) copy_bytes(posted(root), data + begin, count);
    });
  }
  for (size_t begin = 0; begin < values.bytes(); begin += kMostAtOnce) {
    const size_t count = std::min(kMostAtOnce, values.bytes() - begin);
    check(library().broadcast(world_, data + begin, static_cast<int>(count), root), "broadcast: MPI_Bcast");
  }
}

void MpiCommunicator::barrier() {
  if (one_node())
    memory_->barrier();
  else
    nodes_->barrier();
}

std::unique_ptr<Communicator> MpiCommunicator::split(int color, int key) {
  return std::make_unique<MpiCommunicator>(split_by(world_, color, key), node_, options_);
}

template <class Post, class Read>
void MpiCommunicator::exchange(size_t bytes, Post post, Read read) {
  if (bytes == 0) return;
  if (bytes <= NodeMemory::kSmallBytes) {
    const int generation = generation_ ^= 1;
    post(size_t{0}, bytes, memory_->small(rank_, generation));
    memory_->barrier();
    return read(size_t{0}, bytes, [&](int peer) { return memory_->small(peer, generation); });
  }
  for (size_t begin = 0; begin < bytes; begin += memory_->slot_bytes()) {
    const size_t count = std::min(memory_->slot_bytes(), bytes - begin);
    post(begin, count, memory_->slot(rank_));
    memory_->barrier();
    read(begin, count, [&](int peer) { return memory_->slot(peer); });
    memory_->barrier();
  }
}

std::string unavailable(const Placement&) { return why_no_library(); }

std::unique_ptr<Communicator> connect(const Placement& placement, const Options& options) {
  ensure_started();
  const int found = size_of(library().world());
  if (found != placement.world)
    throw ConfigError(concat("the launcher started ", placement.world, " ranks, but MPI finds ", found,
                             found == 1 ? concat(": ", library_name(),
                                                 " is not the MPI of that launcher (with srun, use srun --mpi=pmix; "
                                                 "docs/install.md tells how one is chosen)")
                                        : ""));
  SftComm world = 0;
  check(library().copy(library().world(), &world), "MPI_Comm_dup");
  return std::make_unique<MpiCommunicator>(world, placement.node, options);
}

}  // namespace sft::mpi
