#include "comm/overlapped.h"

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "base/timeline.h"

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
  explicit Overlapped(std::unique_ptr<Communicator> inner)
      : inner_(std::move(inner)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

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
    post([&] { inner_->all_reduce(values, how); }).get();
  }
  void reduce_scatter(Buffer values, Buffer shard) override {
    post([&] { inner_->reduce_scatter(values, shard); }).get();
  }
  void all_gather(Buffer shard, Buffer values) override {
    post([&] { inner_->all_gather(shard, values); }).get();
  }
  void broadcast(Buffer values, int root) override {
    post([&] { inner_->broadcast(values, root); }).get();
  }
  void barrier() override {
    post([&] { inner_->barrier(); }).get();
  }
  std::unique_ptr<Communicator> split(int color, int key) override {
    std::unique_ptr<Communicator> part;
    post([&] { part = inner_->split(color, key); }).get();
    return part;
  }

 private:
  template <class Call>
  std::unique_ptr<Work> start(const char* name, Call call) {
    return std::make_unique<Posted>(post([name, call] { timeline::spanned(name, call); }));
  }

  template <class Call>
  std::future<void> post(Call call) {
    std::packaged_task<void()> task(std::move(call));
    std::future<void> done = task.get_future();
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(task));
    }
    changed_.notify_one();
    return done;
  }

  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
      std::packaged_task<void()> task = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::unique_ptr<Communicator> inner_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::packaged_task<void()>> waiting_;
  std::jthread thread_;  // last, so that it ends first
};

}  // namespace

std::unique_ptr<Communicator> overlapped(std::unique_ptr<Communicator> inner) {
  return std::make_unique<Overlapped>(std::move(inner));
}

}  // namespace sft
