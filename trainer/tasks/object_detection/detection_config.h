// What config.json of a model with detection tokens says of matching and loss, with transformers' names and defaults.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

namespace sft {

struct DetectionConfig {
  int64_t tokens = 0;                                  // num_detection_tokens: objects of a picture at most
  double class_cost = 1, box_cost = 5, giou_cost = 2;  // of a match
  double box_coefficient = 5, giou_coefficient = 2;    // of the terms of the loss
  // eos_coefficient: of "no object" in the cross-entropy. In single precision, as transformers has it, so that sums of
  // such weights in double are exact in any order.
  float no_object_weight = 0.1F;
};

// ConfigError for a model without detection tokens, and for a number that is none or below 0, naming the key.
DetectionConfig read_detection_config(const nlohmann::json& config);

}  // namespace sft
