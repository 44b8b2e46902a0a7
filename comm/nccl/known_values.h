// Values that are known beforehand: the first all-reduce of a new communicator is made of them, so that a link that
// does not work is found at the start and not in the loss.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sft::nccl {

// 2²⁰ values, i mod 1021 + rank at place i: sums over up to 4,862 ranks, at most 2²⁴, are exact in f32.
std::vector<float> known_values(int rank);

// In how many places `sums` are not the sums of the values of ranks 0 … ranks−1.
int64_t count_wrong(std::span<const float> sums, int ranks);

}  // namespace sft::nccl
