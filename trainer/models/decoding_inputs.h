// What a decoder reads in a step of generation: of each sequence its next tokens, over all that a cache keeps of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/models/blocks/key_value_cache.h"
#include "trainer/models/inputs.h"

namespace sft {

struct NextTokens {
  int64_t slot = 0;             // of the sequence in the cache
  int64_t kept = 0;             // tokens of it that the cache has
  std::vector<int32_t> tokens;  // those that follow: all of a prompt, or the one that was chosen last
};

// A source that is read for the first time, and once.
struct NewSource {
  int64_t slot = 0;  // in the cache of sources
  std::vector<int32_t> tokens;
};

// The last of each sequence's tokens is read. Borrows the cache.
TextInputs decoding_inputs(std::span<const NextTokens> sequences, KeyValueCache& cache, const at::Device& device);

// The same of targets, each of which looks at the source in the slot of `looked_at`. Borrows both caches.
PairInputs decoding_inputs(std::span<const NextTokens> targets, KeyValueCache& cache,
                           std::span<const NewSource> sources, KeyValueCache& kept_sources,
                           const std::vector<int64_t>& looked_at, const at::Device& device);

}  // namespace sft
