// One sample as it is stored: token ids with special tokens, and its target.
#pragma once

#include <cstdint>
#include <vector>

namespace sft {

struct Example {
  std::vector<int32_t> tokens;
  std::vector<uint8_t> segments;  // token type ids, as long as tokens; empty where all are 0
  int64_t label = 0;              // class id
  float weight = 1.0f;
};

}  // namespace sft
