// One sample as it is stored: its input, and its target.
#pragma once

#include <cstdint>
#include <vector>

namespace sft {

// What a dataset's samples are to be mapped to; one form for all of them.
enum class TargetForm {
  label,         // one class
  label_set,     // any number of k classes
  values,        // k real numbers
  token_labels,  // a class for each token, −100 where the token has none
};

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
