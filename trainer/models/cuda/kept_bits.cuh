// Which probabilities of attention stay, a bit each: element query · L + key of a head of a sequence of L tokens.
#pragma once

#include "trainer/models/blocks/device_kernels.h"

namespace sft::cuda {

// A sequence of a batch and one of its heads.
struct OneHead {
  int64_t sequence, head, first_row, count;  // `count` tokens from `first_row` on

  __device__ OneHead(const DeviceFlash& work, int64_t sequence, int64_t head)
      : sequence(sequence),
        head(head),
        first_row(work.offsets[sequence]),
        count(work.offsets[sequence + 1] - first_row) {}

  // The first of its words: a sequence has L · ⌈longest / 32⌉, which L · L bits fit into.
  __device__ uint32_t* words(const DeviceFlash& work) const {
    return work.kept + (head * work.num_rows + first_row) * ((work.longest + 31) / 32);
  }
};

// What probabilities are multiplied by. Keys beyond a sequence are asked for up to the end of their tile of 64, so that
// the words read end at most two behind those of the last sequence.
static_assert(DeviceFlash::kWordsBehind >= 64 / 32 + 1);
class KeptBits {
 public:
  __device__ KeptBits(const DeviceFlash& work, const OneHead& one)
      : words_(work.rate.threshold > 0 ? one.words(work) : nullptr),
        count_(one.count),
        scale_(static_cast<float>(work.rate.scale)) {}

  // Of 32 keys from `key` on, which may lie beyond the sequence.
  __device__ uint32_t of(int64_t query, int64_t key) const {
    if (!words_) return 0xFFFFFFFFu;
    const int64_t element = min(query, count_ - 1) * count_ + key;
    const uint32_t* const at = words_ + element / 32;
    return __funnelshift_r(at[0], at[1], static_cast<uint32_t>(element % 32));
  }
  __device__ float factor(uint32_t bits, int i) const { return bits >> i & 1 ? scale_ : 0.0F; }

 private:
  const uint32_t* words_;
  int64_t count_;
  float scale_;
};

}  // namespace sft::cuda
