// The device table of CUDA and NCCL: each function is one of theirs, and nothing is decided here.
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <c10/util/Exception.h>
#include <nccl.h>

#include <cstring>

#include "comm/nccl/device_table.h"

namespace sft::nccl {
namespace {

cudaStream_t cuda(Stream stream) { return reinterpret_cast<cudaStream_t>(stream); }
cudaEvent_t cuda(Event event) { return reinterpret_cast<cudaEvent_t>(event); }
ncclComm_t comm_of(Link link) { return reinterpret_cast<ncclComm_t>(link); }
Stream handle_of(cudaStream_t stream) { return reinterpret_cast<Stream>(stream); }
c10::DeviceIndex index_of(int device) { return static_cast<c10::DeviceIndex>(device); }

ncclDataType_t type_of(Element element) {
  constexpr std::array kTypes{ncclUint8, ncclInt32, ncclInt64, ncclFloat16, ncclBfloat16, ncclFloat32, ncclFloat64};
  return kTypes[static_cast<size_t>(element)];
}

ncclRedOp_t operation_of(Reduction how) {
  constexpr std::array kOperations{ncclSum, ncclMin, ncclMax};
  return kOperations[static_cast<size_t>(how)];
}

size_t count_of(Buffer buffer) { return static_cast<size_t>(buffer.count); }

int count_devices(int* count) {
  *count = 0;
  const cudaError_t result = cudaGetDeviceCount(count);
  return result == cudaErrorNoDevice ? cudaSuccess : result;
}

int uuid_of(int device, Uuid* uuid) {
  cudaDeviceProp properties{};
  const cudaError_t result = cudaGetDeviceProperties(&properties, device);
  static_assert(sizeof properties.uuid.bytes == sizeof *uuid);
  if (result == cudaSuccess) std::memcpy(uuid->data(), properties.uuid.bytes, uuid->size());
  return result;
}

// LibTorch throws where it cannot look at a device; an error code is what a table has for that.
template <class Call>
cudaError_t code_of(Call call) {
  try {
    return call();
  } catch (const c10::Error&) {
    return cudaErrorUnknown;
  }
}

// LibTorch keeps beside CUDA's own a device that a thread means and has not used.
int device_of_thread(int* device) {
  c10::DeviceIndex index = 0;
  const cudaError_t result = code_of([&] { return c10::cuda::GetDevice(&index); });
  *device = index;
  return result;
}
int set_device(int device) {
  return code_of([&] { return c10::cuda::SetDevice(index_of(device)); });
}
int return_to(int device) {
  return code_of([&] { return c10::cuda::MaybeSetDevice(index_of(device)); });
}

const char* error_text(int error) { return cudaGetErrorString(static_cast<cudaError_t>(error)); }

Stream current_stream(int device) { return handle_of(c10::cuda::getCurrentCUDAStream(index_of(device))); }
Stream other_stream(int device) {
  return handle_of(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, index_of(device)));
}
int synchronize(Stream stream) { return cudaStreamSynchronize(cuda(stream)); }

int make_event(Event* event) {
  return cudaEventCreateWithFlags(reinterpret_cast<cudaEvent_t*>(event), cudaEventDisableTiming);
}
int record(Event event, Stream stream) { return cudaEventRecord(cuda(event), cuda(stream)); }
int hold(Stream stream, Event event) { return cudaStreamWaitEvent(cuda(stream), cuda(event), 0); }
int has_happened(Event event, bool* happened) {
  const cudaError_t result = cudaEventQuery(cuda(event));
  *happened = result == cudaSuccess;
  if (result != cudaErrorNotReady) return result;
  cudaGetLastError();  // not yet is no error, which the next who asks for one would get
  return cudaSuccess;
}
int free_event(Event event) { return cudaEventDestroy(cuda(event)); }

int allocate(void** memory, size_t bytes, Stream stream) { return cudaMallocAsync(memory, bytes, cuda(stream)); }
int copy(void* to, const void* from, size_t bytes, Stream stream) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, cuda(stream));
}
int free_memory(void* memory, Stream stream) { return cudaFreeAsync(memory, cuda(stream)); }

int make_address(Address* address) {
  ncclUniqueId id{};
  static_assert(sizeof id.internal == sizeof *address);
  const ncclResult_t result = ncclGetUniqueId(&id);
  std::memcpy(address->data(), id.internal, address->size());
  return result;
}

int connect(Link* link, int size, const Address& address, int rank) {
  ncclUniqueId id{};
  std::memcpy(id.internal, address.data(), address.size());
  return ncclCommInitRank(reinterpret_cast<ncclComm_t*>(link), size, id, rank);
}

int split(Link link, int color, int key, Link* part) {
  return ncclCommSplit(comm_of(link), color, key, reinterpret_cast<ncclComm_t*>(part), nullptr);
}

int async_error(Link link, int* error) {
  ncclResult_t state = ncclSuccess;
  const ncclResult_t result = ncclCommGetAsyncError(comm_of(link), &state);
  *error = state == ncclInProgress ? ncclSuccess : state;
  return result;
}

int destroy(Link link) { return ncclCommDestroy(comm_of(link)); }
int abort_link(Link link) { return ncclCommAbort(comm_of(link)); }
const char* link_error_text(int error) { return ncclGetErrorString(static_cast<ncclResult_t>(error)); }
const char* last_words(Link link) { return ncclGetLastError(comm_of(link)); }

int all_reduce(Link link, Buffer values, Reduction how, Stream stream) {
  return ncclAllReduce(values.data, values.data, count_of(values), type_of(values.element), operation_of(how),
                       comm_of(link), cuda(stream));
}
int reduce_scatter(Link link, const void* values, Buffer shard, Stream stream) {
  return ncclReduceScatter(values, shard.data, count_of(shard), type_of(shard.element), ncclSum, comm_of(link),
                           cuda(stream));
}
int all_gather(Link link, Buffer shard, void* values, Stream stream) {
  return ncclAllGather(shard.data, values, count_of(shard), type_of(shard.element), comm_of(link), cuda(stream));
}
int broadcast(Link link, Buffer values, int root, Stream stream) {
  return ncclBroadcast(values.data, values.data, count_of(values), type_of(values.element), root, comm_of(link),
                       cuda(stream));
}

}  // namespace
}  // namespace sft::nccl

extern "C" const sft::nccl::DeviceTable* sft_cuda_device_table() {
  using namespace sft::nccl;
  static const DeviceTable table{.count_devices = count_devices,
                                 .uuid_of = uuid_of,
                                 .device = device_of_thread,
                                 .set_device = set_device,
                                 .return_to = return_to,
                                 .error_text = error_text,
                                 .current_stream = current_stream,
                                 .other_stream = other_stream,
                                 .synchronize = synchronize,
                                 .make_event = make_event,
                                 .record = record,
                                 .hold = hold,
                                 .has_happened = has_happened,
                                 .free_event = free_event,
                                 .allocate = allocate,
                                 .copy = copy,
                                 .free = free_memory,
                                 .make_address = make_address,
                                 .connect = connect,
                                 .split = split,
                                 .async_error = async_error,
                                 .destroy = destroy,
                                 .abort = abort_link,
                                 .link_error_text = link_error_text,
                                 .last_words = last_words,
                                 .all_reduce = all_reduce,
                                 .reduce_scatter = reduce_scatter,
                                 .all_gather = all_gather,
                                 .broadcast = broadcast};
  return &table;
}
