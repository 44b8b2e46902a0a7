// The two functions that the loader looks up.
#include <c10/cuda/CUDAGuard.h>

#include "base/errors.h"
#include "base/text.h"
#include "comm/nccl/plugin.h"
#include "comm/nccl/plugin/check.h"
#include "comm/nccl/plugin/nccl_communicator.h"

// "GPU-" and 32 digits, as nvidia-smi has them, without its dashes.
static std::string uuid_of(int device) {
  cudaDeviceProp properties{};
  sft::nccl::check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "GPU-";
  for (const char byte : properties.uuid.bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += {kDigits[value >> 4], kDigits[value & 15]};
  }
  return text;
}

extern "C" void sft_cuda_list_devices(std::vector<std::string>* uuids) {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result == cudaErrorNoDevice) return;
  sft::nccl::check(result, "cudaGetDeviceCount");
  for (int device = 0; device < count; ++device) uuids->push_back(uuid_of(device));
}

extern "C" void sft_cuda_connect(const sft::Placement& placement, std::unique_ptr<sft::Communicator> control,
                                 std::unique_ptr<sft::Communicator>* world) {
  using namespace sft::nccl;
  const c10::cuda::CUDAGuard guard(static_cast<c10::DeviceIndex>(placement.device));
  ncclUniqueId address{};
  if (control->rank() == 0) check(ncclGetUniqueId(&address), "ncclGetUniqueId", 0);
  control->broadcast({address.internal, sizeof address.internal, sft::Element::u8}, 0);

  ncclComm_t comm = nullptr;
  check(ncclCommInitRank(&comm, control->size(), address, control->rank()), "ncclCommInitRank", control->rank());
  auto connected = std::make_unique<NcclCommunicator>(comm, placement.device, std::move(control));
  connected->prove();
  *world = std::move(connected);
}
