#include "tests/comm/worlds/staged.h"

#include "comm/nccl/check.h"

namespace sft::test {
namespace {

using nccl::check;
using nccl::DeviceTable;
using nccl::Stream;

class Copied {
 public:
  Copied(Buffer host, const DeviceTable& table, int device)
      : host_(host), table_(table), stream_(table.current_stream(device)) {
    check(table_, table_.allocate(&memory_, host_.bytes() + 1, stream_), "allocate");
    check(table_, table_.copy(memory_, host_.data, host_.bytes(), stream_), "copy to the device");
  }
  ~Copied() { table_.free(memory_, stream_); }
  Copied(const Copied&) = delete;
  Copied& operator=(const Copied&) = delete;

  Buffer buffer() const { return {memory_, host_.count, host_.element}; }
  void bring_back() const {
    check(table_, table_.copy(host_.data, memory_, host_.bytes(), stream_), "copy from the device");
    check(table_, table_.synchronize(stream_), "copy from the device");
  }

 private:
  Buffer host_;
  const DeviceTable& table_;
  Stream stream_;
  void* memory_ = nullptr;
};

class StagedWork final : public Work {
 public:
  StagedWork(std::unique_ptr<Copied> values, std::unique_ptr<Work> inner, std::unique_ptr<Copied> read = nullptr)
      : values_(std::move(values)), read_(std::move(read)), inner_(std::move(inner)) {}
  void wait() override {
    inner_->wait();
    values_->bring_back();
  }

 private:
  std::unique_ptr<Copied> values_, read_;
  std::unique_ptr<Work> inner_;
};

class Staged final : public Communicator {
 public:
  Staged(std::unique_ptr<Communicator> inner, const DeviceTable& table, int device)
      : inner_(std::move(inner)), table_(table), device_(device) {}

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  std::string_view backend() const override { return inner_->backend(); }
  bool overlaps() const override { return inner_->overlaps(); }

  void all_reduce(Buffer values, Reduction how) override {
    const Copied there(values, table_, device_);
    inner_->all_reduce(there.buffer(), how);
    there.bring_back();
  }
  std::unique_ptr<Work> start_all_reduce(Buffer values) override {
    auto there = std::make_unique<Copied>(values, table_, device_);
    auto work = inner_->start_all_reduce(there->buffer());
    return std::make_unique<StagedWork>(std::move(there), std::move(work));
  }
  void reduce_scatter(Buffer values, Buffer shard) override {
    const Copied from(values, table_, device_);
    const Copied to(shard, table_, device_);
    inner_->reduce_scatter(from.buffer(), to.buffer());
    to.bring_back();
  }
  void all_gather(Buffer shard, Buffer values) override {
    const Copied from(shard, table_, device_);
    const Copied to(values, table_, device_);
    inner_->all_gather(from.buffer(), to.buffer());
    to.bring_back();
  }
  std::unique_ptr<Work> start_reduce_scatter(Buffer values, Buffer shard) override {
    auto from = std::make_unique<Copied>(values, table_, device_),
         to = std::make_unique<Copied>(shard, table_, device_);
    auto work = inner_->start_reduce_scatter(from->buffer(), to->buffer());
    return std::make_unique<StagedWork>(std::move(to), std::move(work), std::move(from));
  }
  std::unique_ptr<Work> start_all_gather(Buffer shard, Buffer values) override {
    auto from = std::make_unique<Copied>(shard, table_, device_),
         to = std::make_unique<Copied>(values, table_, device_);
    auto work = inner_->start_all_gather(from->buffer(), to->buffer());
    return std::make_unique<StagedWork>(std::move(to), std::move(work), std::move(from));
  }
  void broadcast(Buffer values, int root) override {
    const Copied there(values, table_, device_);
    inner_->broadcast(there.buffer(), root);
    there.bring_back();
  }
  void barrier() override { inner_->barrier(); }
  std::unique_ptr<Communicator> split(int color, int key) override {
    return staged(inner_->split(color, key), table_, device_);
  }

 private:
  std::unique_ptr<Communicator> inner_;
  const DeviceTable& table_;
  int device_;
};

}  // namespace

std::unique_ptr<Communicator> staged(std::unique_ptr<Communicator> inner, const DeviceTable& table, int device) {
  return std::make_unique<Staged>(std::move(inner), table, device);
}

}  // namespace sft::test
