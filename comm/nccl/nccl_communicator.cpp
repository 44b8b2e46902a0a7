#include "comm/nccl/nccl_communicator.h"

#include <cassert>
#include <exception>
#include <span>

#include "base/errors.h"
#include "base/text.h"
#include "comm/nccl/check.h"
#include "comm/nccl/known_values.h"
#include "comm/nccl/on_device.h"

namespace sft::nccl {
namespace {

class QueuedWork final : public Work {
 public:
  QueuedWork(const DeviceTable& table, int device, std::shared_ptr<const StreamPoint> done)
      : table_(table), device_(device), done_(std::move(done)) {}
  void wait() override {
    const OnDevice here(table_, device_);
    done_->hold(table_.current_stream(device_));
  }

 private:
  const DeviceTable& table_;
  int device_;
  std::shared_ptr<const StreamPoint> done_;
};

}  // namespace

NcclCommunicator::NcclCommunicator(const DeviceTable& table, Link link, int device,
                                   std::unique_ptr<Communicator> control)
    : table_(table),
      link_(link),
      device_(device),
      control_(std::move(control)),
      stream_(table.other_stream(device)),
      before_(table),
      exceptions_(std::uncaught_exceptions()) {}

NcclCommunicator::~NcclCommunicator() {
  if (std::uncaught_exceptions() > exceptions_)
    table_.abort(link_);
  else
    table_.destroy(link_);
}

void NcclCommunicator::all_reduce(Buffer values, Reduction how) {
  enqueue("all_reduce", [&] { return table_.all_reduce(link_, values, how, stream_); })->wait();
}

std::unique_ptr<Work> NcclCommunicator::start_all_reduce(Buffer values) {
  return enqueue("start_all_reduce", [&] { return table_.all_reduce(link_, values, Reduction::sum, stream_); });
}

void NcclCommunicator::reduce_scatter(Buffer values, Buffer shard) { start_reduce_scatter(values, shard)->wait(); }

void NcclCommunicator::all_gather(Buffer shard, Buffer values) { start_all_gather(shard, values)->wait(); }

std::unique_ptr<Work> NcclCommunicator::start_reduce_scatter(Buffer values, Buffer shard) {
  assert(values.count == shard.count * size() && values.element == shard.element);
  return enqueue("reduce_scatter", [&] { return table_.reduce_scatter(link_, values.data, shard, stream_); });
}

std::unique_ptr<Work> NcclCommunicator::start_all_gather(Buffer shard, Buffer values) {
  assert(values.count == shard.count * size() && values.element == shard.element);
  return enqueue("all_gather", [&] { return table_.all_gather(link_, shard, values.data, stream_); });
}

void NcclCommunicator::broadcast(Buffer values, int root) {
  assert(root >= 0 && root < size());
  enqueue("broadcast", [&] { return table_.broadcast(link_, values, root, stream_); })->wait();
}

void NcclCommunicator::barrier() {
  const OnDevice here(table_, device_);
  check(table_, table_.synchronize(stream_), "barrier: wait for the device");
  check(table_, table_.synchronize(table_.current_stream(device_)), "barrier: wait for the device");
  control_->barrier();
}

std::unique_ptr<Communicator> NcclCommunicator::split(int color, int key) {
  const OnDevice here(table_, device_);
  Link part = nullptr;
  check_link(table_, table_.split(link_, color, key, &part), "split", rank(), link_);
  return std::make_unique<NcclCommunicator>(table_, part, device_, control_->split(color, key));
}

DeviceQueue::State NcclCommunicator::look() {
  const OnDevice here(table_, device_);
  const auto [queued, finished] = queued_.count();
  int error = 0;
  check_link(table_, table_.async_error(link_, &error), "ask for errors", rank(), link_);
  return {queued, finished, error == 0 ? "" : text_of(table_, error, link_)};
}

template <class Call>
std::unique_ptr<Work> NcclCommunicator::enqueue(std::string_view operation, Call call) {
  const OnDevice here(table_, device_);
  before_.record(table_.current_stream(device_));
  before_.hold(stream_);
  check_link(table_, call(), operation, rank(), link_);
  const auto done = std::make_shared<StreamPoint>(table_);
  done->record(stream_);
  queued_.add(done);
  return std::make_unique<QueuedWork>(table_, device_, done);
}

void NcclCommunicator::prove() {
  const OnDevice here(table_, device_);
  std::vector<float> values = known_values(rank());
  const size_t bytes = values.size() * sizeof(float);
  void* there = nullptr;
  check(table_, table_.allocate(&there, bytes, stream_), "allocate");
  check(table_, table_.copy(there, values.data(), bytes, stream_), "copy to the device");
  const Buffer sums{there, static_cast<int64_t>(values.size()), Element::f32};
  check_link(table_, table_.all_reduce(link_, sums, Reduction::sum, stream_), "first all_reduce", rank(), link_);
  check(table_, table_.copy(values.data(), there, bytes, stream_), "copy from the device");
  check(table_, table_.free(there, stream_), "free");
  check(table_, table_.synchronize(stream_), "first all_reduce");
  if (const int64_t wrong = count_wrong(values, size()); wrong > 0)
    throw CommError(concat("rank ", rank(), ": a first all-reduce over ", size(), " devices came back wrong in ", wrong,
                           " of ", values.size(),
                           " places: a link between the GPUs does not work; try NCCL_P2P_DISABLE=1, and nccl-tests to "
                           "find it"));
}

}  // namespace sft::nccl
