#include "comm/overlapped.h"

#include <future>
#include <utility>

#include "base/timeline.h"
#include "comm/turns.h"

namespace sft {
namespace {

class Posted final : public Work {
 public:
  explicit Posted(std::future<void> done) : done_(std::move(done)) {}
  void wait() override { done_.get(); }

 private:
  std::future<void> done_;
};

class Overlapped final : public Communicator {
 public:
  explicit Overlapped(std::unique_ptr<Communicator> inner) : inner_(std::move(inner)) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  std::string_view backend() const override { return inner_->backend(); }
  bool overlaps() const override { return true; }

  std::unique_ptr<Work> start_all_reduce(Buffer values) override {
    return start("sum over ranks", [this, values] { inner_->all_reduce(values); });
  }
  std::unique_ptr<Work> start_reduce_scatter(Buffer values, Buffer shard) override {
    return start("sum over ranks", [this, values, shard] { inner_->reduce_scatter(values, shard); });
  }
  std::unique_ptr<Work> start_all_gather(Buffer shard, Buffer values) override {
    return start("gather from ranks", [this, shard, values] { inner_->all_gather(shard, values); });
  }

  void all_reduce(Buffer values, Reduction how) override {
    turns_.post([&] { inner_->all_reduce(values, how); }).get();
  }
  void reduce_scatter(Buffer values, Buffer shard) override {
    turns_.post([&] { inner_->reduce_scatter(values, shard); }).get();
  }
  void all_gather(Buffer shard, Buffer values) override {
    turns_.post([&] { inner_->all_gather(shard, values); }).get();
  }
  void broadcast(Buffer values, int root) override {
    turns_.post([&] { inner_->broadcast(values, root); }).get();
  }
  void barrier() override {
    turns_.post([&] { inner_->barrier(); }).get();
  }
  std::unique_ptr<Communicator> split(int color, int key) override {
    std::unique_ptr<Communicator> part;
    turns_.post([&] { part = inner_->split(color, key); }).get();
    return part;
  }

 private:
  template <class Call>
  std::unique_ptr<Work> start(const char* name, Call call) {
    return std::make_unique<Posted>(turns_.post([name, call] { timeline::spanned(name, call); }));
  }

  std::unique_ptr<Communicator> inner_;
  Turns turns_;  // last, so that it ends first
};

}  // namespace

std::unique_ptr<Communicator> overlapped(std::unique_ptr<Communicator> inner) {
  return std::make_unique<Overlapped>(std::move(inner));
}

}  // namespace sft
