// A communicator that passes every call on, and lets a subclass see each one begin and end. Tracing,
// verification and the watchdog are such observers; they can be stacked.
#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"

namespace sft {

struct Operation {
  enum class Kind : uint8_t {
    all_reduce,
    start_all_reduce,
    wait,
    reduce_scatter,
    start_reduce_scatter,
    all_gather,
    start_all_gather,
    broadcast,
    barrier,
    split,
    connect  // of a communicator that is being made
  };
  static constexpr size_t kKinds = 11;

  Kind kind = Kind::barrier;
  Element element = Element::u8;
  Reduction how = Reduction::sum;
  int root = 0;
  int64_t count = 0;     // of the longest buffer
  int64_t sequence = 0;  // from 1; the same on every rank for calls that belong together

  size_t bytes() const { return static_cast<size_t>(count) * bytes_of(element); }
};
std::string_view name_of(Operation::Kind kind);
std::string describe(const Operation& operation);  // "broadcast of 100 f32 from rank 2"

class Observed : public Communicator {
 public:
  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  std::string_view backend() const override { return inner_->backend(); }
  bool overlaps() const override { return inner_->overlaps(); }

  void all_reduce(Buffer values, Reduction how) override;
  std::unique_ptr<Work> start_all_reduce(Buffer values) override;
  void reduce_scatter(Buffer values, Buffer shard) override;
  void all_gather(Buffer shard, Buffer values) override;
  std::unique_ptr<Work> start_reduce_scatter(Buffer values, Buffer shard) override;
  std::unique_ptr<Work> start_all_gather(Buffer shard, Buffer values) override;
  void broadcast(Buffer values, int root) override;
  void barrier() override;
  std::unique_ptr<Communicator> split(int color, int key) override;

 protected:
  explicit Observed(std::unique_ptr<Communicator> inner) : inner_(std::move(inner)) {}

  virtual void begin(const Operation& operation) = 0;
  virtual void end(const Operation& operation) noexcept = 0;                              // also after an error
  virtual std::unique_ptr<Communicator> observe(std::unique_ptr<Communicator> part) = 0;  // of a split

  Communicator& inner() { return *inner_; }

 private:
  class ObservedWork;
  template <class Call>
  auto call(Operation operation, Call call);

  std::unique_ptr<Communicator> inner_;
  int64_t sequence_ = 0;
};

}  // namespace sft
