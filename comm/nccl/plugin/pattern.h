// Values that are known beforehand, on the device: the first all-reduce of a new communicator is
// made of them, so that a link that does not work is found at the start and not in the loss.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace sft::nccl {

// values[i] = i mod 1021 + rank: sums over up to 10,000 ranks are exact in f32.
void fill_pattern(float* values, int64_t count, int rank, cudaStream_t stream);

// Adds to *wrong how many places do not hold the sum of the patterns of ranks 0 … ranks−1.
void count_wrong(const float* sums, int64_t count, int ranks, unsigned long long* wrong, cudaStream_t stream);

}  // namespace sft::nccl
