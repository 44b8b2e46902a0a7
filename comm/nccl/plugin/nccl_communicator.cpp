#include "comm/nccl/plugin/nccl_communicator.h"

#include <c10/cuda/CUDAGuard.h>

#include <array>
#include <cassert>
#include <exception>

#include "base/errors.h"
#include "base/text.h"
#include "comm/nccl/plugin/check.h"
#include "comm/nccl/plugin/pattern.h"

namespace sft::nccl {
namespace {

ncclDataType_t type_of(Element element) {
  constexpr std::array kTypes{ncclUint8, ncclInt32, ncclInt64, ncclFloat16, ncclBfloat16, ncclFloat32, ncclFloat64};
  return kTypes[static_cast<size_t>(element)];
}

ncclRedOp_t operation_of(Reduction how) {
  constexpr std::array kOperations{ncclSum, ncclMin, ncclMax};
  return kOperations[static_cast<size_t>(how)];
}

size_t count_of(Buffer buffer) { return static_cast<size_t>(buffer.count); }

// A point in a stream that another stream can wait for.
class Event {
 public:
  explicit Event(cudaStream_t stream) {
    check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreate");
    check(cudaEventRecord(event_, stream), "cudaEventRecord");
  }
  ~Event() { cudaEventDestroy(event_); }  // CUDA keeps it until it has happened
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void hold(cudaStream_t stream) const { check(cudaStreamWaitEvent(stream, event_, 0), "cudaStreamWaitEvent"); }

 private:
  cudaEvent_t event_ = nullptr;
};

class QueuedWork final : public Work {
 public:
  QueuedWork(c10::DeviceIndex device, cudaStream_t stream) : device_(device), done_(stream) {}
  void wait() override { done_.hold(c10::cuda::getCurrentCUDAStream(device_)); }

 private:
  c10::DeviceIndex device_;
  Event done_;
};

}  // namespace

NcclCommunicator::NcclCommunicator(ncclComm_t comm, int device, std::unique_ptr<Communicator> control)
    : comm_(comm),
      device_(static_cast<c10::DeviceIndex>(device)),
      control_(std::move(control)),
      stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device_)),
      exceptions_(std::uncaught_exceptions()) {}

// After an error the peers may not come to an orderly end with this rank.
NcclCommunicator::~NcclCommunicator() {
  if (std::uncaught_exceptions() > exceptions_)
    ncclCommAbort(comm_);
  else
    ncclCommDestroy(comm_);
}

void NcclCommunicator::all_reduce(Buffer values, Reduction how) {
  enqueue("all_reduce", [&](cudaStream_t stream) {
    return ncclAllReduce(values.data, values.data, count_of(values), type_of(values.element), operation_of(how), comm_,
                         stream);
  })->wait();
}

std::unique_ptr<Work> NcclCommunicator::start_all_reduce(Buffer values) {
  return enqueue("start_all_reduce", [&](cudaStream_t stream) {
    return ncclAllReduce(values.data, values.data, count_of(values), type_of(values.element), ncclSum, comm_, stream);
  });
}

void NcclCommunicator::reduce_scatter(Buffer values, Buffer shard) {
  assert(values.count == shard.count * size() && values.element == shard.element);
  enqueue("reduce_scatter", [&](cudaStream_t stream) {
    return ncclReduceScatter(values.data, shard.data, count_of(shard), type_of(shard.element), ncclSum, comm_, stream);
  })->wait();
}

void NcclCommunicator::all_gather(Buffer shard, Buffer values) {
  assert(values.count == shard.count * size() && values.element == shard.element);
  enqueue("all_gather", [&](cudaStream_t stream) {
    return ncclAllGather(shard.data, values.data, count_of(shard), type_of(shard.element), comm_, stream);
  })->wait();
}

void NcclCommunicator::broadcast(Buffer values, int root) {
  assert(root >= 0 && root < size());
  enqueue("broadcast", [&](cudaStream_t stream) {
    return ncclBroadcast(values.data, values.data, count_of(values), type_of(values.element), root, comm_, stream);
  })->wait();
}

void NcclCommunicator::barrier() {
  const c10::cuda::CUDAGuard guard(device_);
  check(cudaStreamSynchronize(stream_), "barrier: cudaStreamSynchronize");
  check(cudaStreamSynchronize(c10::cuda::getCurrentCUDAStream(device_)), "barrier: cudaStreamSynchronize");
  control_->barrier();
}

std::unique_ptr<Communicator> NcclCommunicator::split(int color, int key) {
  const c10::cuda::CUDAGuard guard(device_);
  ncclComm_t part = nullptr;
  check(ncclCommSplit(comm_, color, key, &part, nullptr), "split: ncclCommSplit", rank(), comm_);
  return std::make_unique<NcclCommunicator>(part, device_, control_->split(color, key));
}

template <class Call>
std::unique_ptr<Work> NcclCommunicator::enqueue(std::string_view operation, Call call) {
  const c10::cuda::CUDAGuard guard(device_);
  Event(c10::cuda::getCurrentCUDAStream(device_)).hold(stream_);
  check(call(stream_.stream()), operation, rank(), comm_);
  return std::make_unique<QueuedWork>(device_, stream_);
}

void NcclCommunicator::prove() {
  constexpr int64_t kCount = 1 << 20;
  const c10::cuda::CUDAGuard guard(device_);
  const cudaStream_t stream = stream_.stream();
  float* values = nullptr;
  unsigned long long* wrong_on_device = nullptr;
  unsigned long long wrong = 0;
  check(cudaMallocAsync(reinterpret_cast<void**>(&values), kCount * sizeof(float), stream), "cudaMallocAsync");
  check(cudaMallocAsync(reinterpret_cast<void**>(&wrong_on_device), sizeof wrong, stream), "cudaMallocAsync");
  check(cudaMemsetAsync(wrong_on_device, 0, sizeof wrong, stream), "cudaMemsetAsync");
  fill_pattern(values, kCount, rank(), stream);
  check(cudaGetLastError(), "fill_pattern");
  check(ncclAllReduce(values, values, kCount, ncclFloat32, ncclSum, comm_, stream), "first all_reduce", rank(), comm_);
  count_wrong(values, kCount, size(), wrong_on_device, stream);
  check(cudaGetLastError(), "count_wrong");
  check(cudaMemcpyAsync(&wrong, wrong_on_device, sizeof wrong, cudaMemcpyDeviceToHost, stream), "cudaMemcpyAsync");
  check(cudaFreeAsync(values, stream), "cudaFreeAsync");
  check(cudaFreeAsync(wrong_on_device, stream), "cudaFreeAsync");
  check(cudaStreamSynchronize(stream), "first all_reduce");
  if (wrong > 0)
    throw CommError(concat(
        "rank ", rank(), ": a first all-reduce over ", size(), " devices came back wrong in ", wrong, " of ", kCount,
        " places: a link between the GPUs does not work; try NCCL_P2P_DISABLE=1, and nccl-tests to find it"));
}

}  // namespace sft::nccl
