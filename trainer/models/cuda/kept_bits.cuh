// Which probabilities of attention stay, a bit each: element place · L + key of a head of a sequence of L keys.
#pragma once

#include "trainer/models/cuda/seen_keys.cuh"

namespace sft::cuda {

// A sequence of a batch and one of its heads.
struct OneHead {
  int64_t sequence, head, query_row, key_row;
  int num_queries, num_keys;

  __device__ OneHead(const DeviceFlash& work, int64_t sequence, int64_t head)
      : sequence(sequence),
        head(head),
        query_row(work.queries[sequence]),
        key_row(work.keys[sequence]),
        num_queries(work.queries[sequence + 1] - work.queries[sequence]),
        num_keys(work.keys[sequence + 1] - work.keys[sequence]) {}

  __device__ int64_t key_head(const DeviceFlash& work) const { return head / (work.heads / work.key_heads); }

  // Of query i, or of the last one where there is no such.
  __device__ int place(const DeviceFlash& work, int i) const {
    return place_of(work.mask, query_row, min(i, num_queries - 1));
  }
  // What any of the tile's queries first … sees: places ascend.
  __device__ SeenKeys seen_by_tile(const DeviceFlash& work, int first, int tile) const {
    return {SeenKeys(work.mask, place(work, first), num_keys).begin,
            SeenKeys(work.mask, place(work, first + tile - 1), num_keys).end};
  }

  // Places that its queries may have, and the first of its words: a place has ⌈longest / 32⌉, and L bits a place fit
  // into these.
  __device__ int num_places(const DeviceFlash& work) const { return work.mask.places ? num_keys : num_queries; }
  __device__ uint32_t* words(const DeviceFlash& work) const {
    const int64_t first_place = work.mask.places ? key_row : query_row;
    return work.kept + (head * work.num_places + first_place) * ((work.longest + 31) / 32);
  }
};

// What probabilities are multiplied by. Keys beyond a sequence are asked for up to the end of their tile of 64, so that
// the words read end at most two behind those of the last sequence.
static_assert(DeviceFlash::kWordsBehind >= 64 / 32 + 1);
class KeptBits {
 public:
  __device__ KeptBits(const DeviceFlash& work, const OneHead& one)
      : words_(work.rate.threshold > 0 ? one.words(work) : nullptr),
        num_keys_(one.num_keys),
        scale_(static_cast<float>(work.rate.scale)) {}

  // Of 32 keys from `key` on, which may lie beyond the sequence.
  __device__ uint32_t of(int place, int key) const {
    if (!words_) return 0xFFFFFFFFu;
    const int64_t element = int64_t{place} * num_keys_ + key;
    const uint32_t* const at = words_ + element / 32;
    return __funnelshift_r(at[0], at[1], static_cast<uint32_t>(element % 32));
  }
  __device__ float factor(uint32_t bits, int i) const { return bits >> i & 1 ? scale_ : 0.0F; }

 private:
  const uint32_t* words_;
  int num_keys_;
  float scale_;
};

}  // namespace sft::cuda
