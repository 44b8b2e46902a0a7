// Where a kernel is queued, and whether it could be.
#pragma once

#include <cuda_runtime_api.h>

namespace sft::cuda {

// The device becomes current for a launch, and the one before it again behind that.
class Launch {
 public:
  explicit Launch(int device);
  ~Launch();
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;

  cudaStream_t stream() const { return stream_; }
  // DeviceError with the kernel's name where it could not be queued.
  void check(const char* kernel) const;

 private:
  int before_ = 0;
  cudaStream_t stream_ = nullptr;
};

}  // namespace sft::cuda
