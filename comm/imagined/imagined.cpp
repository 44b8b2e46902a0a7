#include "comm/imagined/imagined.h"

#include <cassert>
#include <cstring>
#include <span>
#include <utility>

#include "base/timeline.h"

namespace sft::imagined {
namespace {

using Kind = Operation::Kind;

template <class T>
void multiply(Buffer values, int factor) {
  for (T& value : std::span(static_cast<T*>(values.data), static_cast<size_t>(values.count)))
    value = static_cast<T>(value * static_cast<T>(factor));
}

// The sum of so many equal ones. Bytes and half precision stay as they are: nobody sums them.
void sum_of_equals(Buffer values, int how_many) {
  if (values.element == Element::f32) multiply<float>(values, how_many);
  if (values.element == Element::f64) multiply<double>(values, how_many);
  if (values.element == Element::i64) multiply<int64_t>(values, how_many);
  if (values.element == Element::i32) multiply<int32_t>(values, how_many);
}

std::byte* shard_of(Buffer values, Buffer shard, int rank) {
  return static_cast<std::byte*>(values.data) + static_cast<size_t>(rank) * shard.bytes();
}

class Imagined : public Communicator {
 public:
  Imagined(World world, std::shared_ptr<Journal> journal) : world_(std::move(world)), journal_(std::move(journal)) {}

  int rank() const override { return world_.rank; }
  int size() const override { return world_.size; }
  std::string_view backend() const override { return "imagined"; }
  bool overlaps() const override { return world_.overlaps; }

  void all_reduce(Buffer values, Reduction how) override {
    write(Kind::all_reduce, values, [&] { reduce(values, how); });
  }
  std::unique_ptr<Work> start_all_reduce(Buffer values) override {
    return start(Kind::start_all_reduce, Kind::all_reduce, values, [&] { reduce(values, Reduction::sum); });
  }
  void reduce_scatter(Buffer values, Buffer shard) override {
    write(Kind::reduce_scatter, values, [&] { scatter(values, shard); });
  }
  std::unique_ptr<Work> start_reduce_scatter(Buffer values, Buffer shard) override {
    return start(Kind::start_reduce_scatter, Kind::reduce_scatter, values, [&] { scatter(values, shard); });
  }
  void all_gather(Buffer shard, Buffer values) override {
    write(Kind::all_gather, values, [&] { gather(shard, values); });
  }
  std::unique_ptr<Work> start_all_gather(Buffer shard, Buffer values) override {
    return start(Kind::start_all_gather, Kind::all_gather, values, [&] { gather(shard, values); });
  }
  void broadcast(Buffer values, int) override {
    write(Kind::broadcast, values, [] {});
  }
  void barrier() override {
    write(Kind::barrier, {}, [] {});
  }

 protected:
  // What peers bring.
  virtual void gather(Buffer shard, Buffer values) = 0;
  virtual void reduce(Buffer values, Reduction how) = 0;

  World world_;
  std::shared_ptr<Journal> journal_;

 private:
  class Started final : public Work {
   public:
    Started(Imagined& owner, size_t call) : owner_(owner), call_(call) {}
    void wait() override {
      owner_.write(Kind::wait, {}, [] {}, call_);
    }

   private:
    Imagined& owner_;
    size_t call_;
  };

  template <class Body>
  size_t write(Kind kind, Buffer values, Body body, size_t waits_for = 0) {
    world_.settle();
    Call call{.kind = kind, .bytes = static_cast<int64_t>(values.bytes()), .waits_for = waits_for};
    call.begin = timeline::now();
    body();
    call.end = timeline::now();
    journal_->push_back(call);
    return journal_->size() - 1;
  }

  // A world that cannot overlap does at once what it is to start.
  template <class Body>
  std::unique_ptr<Work> start(Kind started, Kind at_once, Buffer values, Body body) {
    return std::make_unique<Started>(*this, write(world_.overlaps ? started : at_once, values, body));
  }

  void scatter(Buffer values, Buffer shard) {
    assert(values.count == shard.count * world_.size);
    std::byte* const mine = shard_of(values, shard, world_.rank);
    if (shard.bytes() > 0 && mine != shard.data) std::memmove(shard.data, mine, shard.bytes());
    reduce(shard, Reduction::sum);
  }
};

class Control final : public Imagined {
 public:
  using Imagined::Imagined;
  std::unique_ptr<Communicator> split(int, int) override { return std::make_unique<Control>(world_, journal_); }

 private:
  void gather(Buffer shard, Buffer values) override {
    assert(values.count == shard.count * world_.size);
    if (shard.bytes() == 0) return;
    for (int rank = 0; rank < world_.size; ++rank)
      std::memmove(shard_of(values, shard, rank), shard.data, shard.bytes());
  }
  void reduce(Buffer values, Reduction how) override {
    if (how == Reduction::sum) sum_of_equals(values, world_.size);
  }
};

class Gradients final : public Imagined {
 public:
  using Imagined::Imagined;
  std::unique_ptr<Communicator> split(int, int) override { return std::make_unique<Gradients>(world_, journal_); }

 private:
  void gather([[maybe_unused]] Buffer shard, [[maybe_unused]] Buffer values) override {
    assert(shard.bytes() == 0 || shard_of(values, shard, world_.rank) == shard.data);
  }
  void reduce(Buffer, Reduction) override {}
};

}  // namespace

std::unique_ptr<Communicator> control(World world, std::shared_ptr<Journal> journal) {
  return std::make_unique<Control>(std::move(world), std::move(journal));
}

std::unique_ptr<Communicator> gradients(World world, std::shared_ptr<Journal> journal) {
  return std::make_unique<Gradients>(std::move(world), std::move(journal));
}

}  // namespace sft::imagined
