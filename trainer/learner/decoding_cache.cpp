#include "trainer/learner/decoding_cache.h"

#include <numeric>
#include <utility>

namespace sft {

int64_t PlaceSize::bytes(const Model& model) const {
  constexpr int64_t kBytesOfANumber = 4;
  const auto pair = model.pair();  // the blocks of an encoder keep nothing, nor does the target's embedding
  const int64_t blocks = model.num_blocks() - (pair ? pair->encoder_blocks + 1 : 0);
  return 2 * blocks * model.width() * kBytesOfANumber * (num_beams * sequence + source);
}

DecodingCache::DecodingCache(int64_t num_places, const PlaceSize& size)
    : num_beams_(size.num_beams), sequences_(num_places * size.num_beams, size.sequence) {
  if (size.source > 0) sources_.emplace(num_places, size.source);
}

std::vector<int64_t> DecodingCache::slots_of(int64_t place) const {
  std::vector<int64_t> slots(static_cast<size_t>(num_beams_));
  std::iota(slots.begin(), slots.end(), place * num_beams_);
  return slots;
}

void DecodingCache::read(std::vector<int32_t> source, int64_t place) {
  new_sources_.push_back({place, std::move(source)});
}

Inputs DecodingCache::inputs(std::span<const NextTokens> batch, const at::Device& device) {
  if (!sources_) return decoding_inputs(batch, sequences_, device);
  std::vector<int64_t> looked_at;
  for (const NextTokens& next : batch) looked_at.push_back(next.slot / num_beams_);
  const std::vector<NewSource> sources = std::exchange(new_sources_, {});
  return decoding_inputs(batch, sequences_, sources, *sources_, looked_at, device);
}

}  // namespace sft
