// What a model keeps of the prompts that it answers at once. Each has a place with a slot for each of its beams, where
// keys and values of what was read stand; and the source, where the model reads one, has a slot that all of them share.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "trainer/models/decoding_inputs.h"
#include "trainer/models/model.h"

namespace sft {

// Of one place: its slots, and the tokens that each has room for.
struct PlaceSize {
  int64_t num_beams = 1;
  int64_t sequence = 1, source = 0;  // 0: the model reads no source

  // Of a model whose heads share no keys; others take less.
  int64_t bytes(const Model& model) const;
};

class DecodingCache {
 public:
  DecodingCache(int64_t num_places, const PlaceSize& size);

  std::vector<int64_t> slots_of(int64_t place) const;
  // A source that the next inputs bring, to be seen from all slots of the place.
  void read(std::vector<int32_t> source, int64_t place);
  Inputs inputs(std::span<const NextTokens> batch, const at::Device& device);
  void copy(std::span<const SlotCopy> copies) { sequences_.copy(copies); }

 private:
  int64_t num_beams_;
  KeyValueCache sequences_;
  std::optional<KeyValueCache> sources_;  // a slot is a place
  std::vector<NewSource> new_sources_;
};

}  // namespace sft
