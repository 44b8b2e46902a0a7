#include "trainer/models/cuda/launch.h"

#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>

#include "base/errors.h"
#include "base/text.h"

namespace sft::cuda {

Launch::Launch(int device)
    : before_(c10::cuda::ExchangeDevice(static_cast<c10::DeviceIndex>(device))),
      stream_(c10::cuda::getCurrentCUDAStream(static_cast<c10::DeviceIndex>(device))) {}

Launch::~Launch() { c10::cuda::MaybeExchangeDevice(static_cast<c10::DeviceIndex>(before_)); }

void Launch::check(const char* kernel) const {
  if (const cudaError_t result = cudaGetLastError(); result != cudaSuccess)
    throw DeviceError(concat(kernel, ": ", cudaGetErrorString(result)));
}

}  // namespace sft::cuda
