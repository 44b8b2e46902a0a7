#include "comm/nccl/known_values.h"

namespace sft::nccl {
namespace {

constexpr size_t kCount = 1 << 20;
constexpr size_t kPeriod = 1021;  // a prime, so that no chunk or lane sees the same values as another

}  // namespace

std::vector<float> known_values(int rank) {
  std::vector<float> values(kCount);
  for (size_t i = 0; i < kCount; ++i) values[i] = static_cast<float>(i % kPeriod) + static_cast<float>(rank);
  return values;
}

int64_t count_wrong(std::span<const float> sums, int ranks) {
  const auto n = static_cast<float>(ranks);
  int64_t wrong = 0;
  for (size_t i = 0; i < sums.size(); ++i) wrong += sums[i] != static_cast<float>(i % kPeriod) * n + n * (n - 1) / 2;
  return wrong;
}

}  // namespace sft::nccl
