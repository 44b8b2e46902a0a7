// Every result of CUDA and NCCL is looked at.
#pragma once

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <source_location>
#include <string_view>

namespace sft::nccl {

// DeviceError with CUDA's text and the place, where `result` is not cudaSuccess.
void check(cudaError_t result, std::string_view operation,
           std::source_location where = std::source_location::current());

// CommError with the rank, NCCL's text and its last words, where `result` is not ncclSuccess.
void check(ncclResult_t result, std::string_view operation, int rank, ncclComm_t comm = nullptr,
           std::source_location where = std::source_location::current());

}  // namespace sft::nccl
