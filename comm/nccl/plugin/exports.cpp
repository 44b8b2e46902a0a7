// The two functions that the loader looks up.
#include <c10/cuda/CUDAGuard.h>

#include "base/errors.h"
#include "base/text.h"
#include "comm/nccl/plugin.h"
#include "comm/nccl/plugin/check.h"
#include "comm/nccl/plugin/nccl_communicator.h"

extern "C" int sft_cuda_device_count() {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result == cudaErrorNoDevice) return 0;
  sft::nccl::check(result, "cudaGetDeviceCount");
  return count;
}

extern "C" void sft_cuda_connect(const sft::Placement& placement, std::unique_ptr<sft::Communicator> control,
                                 std::unique_ptr<sft::Communicator>* world) {
  using namespace sft::nccl;
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(placement.local_rank));
  ncclUniqueId address{};
  if (control->rank() == 0) check(ncclGetUniqueId(&address), "ncclGetUniqueId", 0);
  control->broadcast({address.internal, sizeof address.internal, sft::Element::u8}, 0);

  ncclComm_t comm = nullptr;
  check(ncclCommInitRank(&comm, control->size(), address, control->rank()), "ncclCommInitRank", control->rank());
  auto connected = std::make_unique<NcclCommunicator>(comm, placement.local_rank, std::move(control));
  connected->prove();
  *world = std::move(connected);
}
