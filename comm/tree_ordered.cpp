#include "comm/tree_ordered.h"

#include <bit>
#include <cassert>
#include <cstring>
#include <vector>

namespace sft {
namespace {

class TreeOrdered final : public Communicator {
 public:
  // Level k joins each rank with the one whose number differs in bit k. Both have the same two values to add, and
  // addition commutes, so they go on with the same bits.
  explicit TreeOrdered(std::unique_ptr<Communicator> inner) : inner_(std::move(inner)) {
    assert(std::has_single_bit(static_cast<unsigned>(size())));
    for (int bit = 1; bit < size(); bit *= 2) pairs_.push_back(inner_->split(rank() & ~bit, rank()));
  }

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  std::string_view backend() const override { return inner_->backend(); }

  void all_reduce(Buffer values, Reduction how) override {
    if (how != Reduction::sum) return inner_->all_reduce(values, how);
    for (const auto& pair : pairs_) pair->all_reduce(values, how);
  }

  void reduce_scatter(Buffer values, Buffer shard) override {
    if (values.count == 0) return;
    std::vector<std::byte> sums(values.bytes());
    std::memcpy(sums.data(), values.data, values.bytes());
    all_reduce({sums.data(), values.count, values.element}, Reduction::sum);
    std::memcpy(shard.data, sums.data() + static_cast<size_t>(rank()) * shard.bytes(), shard.bytes());
  }

  void all_gather(Buffer shard, Buffer values) override { inner_->all_gather(shard, values); }
  void broadcast(Buffer values, int root) override { inner_->broadcast(values, root); }
  void barrier() override { inner_->barrier(); }
  std::unique_ptr<Communicator> split(int color, int key) override { return inner_->split(color, key); }

 private:
  std::unique_ptr<Communicator> inner_;
  std::vector<std::unique_ptr<Communicator>> pairs_;
};

}  // namespace

std::unique_ptr<Communicator> tree_ordered(std::unique_ptr<Communicator> inner) {
  return std::make_unique<TreeOrdered>(std::move(inner));
}

}  // namespace sft
