// One dropout in the model: Philox's key and the rate.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sft {

// From the run's seed and a place in the model ("attention.output", block 3; "head").
struct DropoutKey {
  std::array<uint32_t, 2> words{};
};
DropoutKey dropout_key(uint64_t seed, std::string_view place, int64_t block = 0);

// One dropout at work: p = 0 leaves everything as it is.
struct Dropout {
  DropoutKey key;
  double p = 0.0;
};

}  // namespace sft
