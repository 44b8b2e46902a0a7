// What ResNet reads from config.json, with transformers' defaults.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/models/blocks/pixels.h"

namespace sft {

struct ResNetConfig {
  int64_t embedding_size = 64;
  std::vector<int64_t> hidden_sizes = {256, 512, 1024, 2048};
  std::vector<int64_t> depths = {3, 4, 6, 3};
  bool bottleneck = true;  // layer_type
  bool downsample_in_first_stage = false;
  bool downsample_in_bottleneck = false;
  PixelScale pixels;

  // "resnet18" … "resnet152" where the sizes are torchvision's, "resnet" otherwise.
  std::string torchvision_name() const;
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
ResNetConfig read_resnet_config(nlohmann::json& content);

}  // namespace sft
