// One sample as it is stored: its input, and its target.
#pragma once

#include <cstdint>
#include <vector>

#include "data/readers/target_form.h"

namespace sft {

struct Example {
  std::vector<int32_t> tokens;        // ids with special tokens; empty for an image
  std::vector<uint8_t> segments;      // token type ids, as long as tokens; empty where all are 0
  std::vector<uint8_t> pixels;        // [H, W, C]; empty for a text
  int64_t label = 0;                  // TargetForm::label: class id
  std::vector<float> values;          // TargetForm::label_set: [k] of 0 and 1; TargetForm::values: [k]
  std::vector<int32_t> token_labels;  // TargetForm::token_labels: as long as tokens
  float weight = 1.0f;
};

}  // namespace sft
