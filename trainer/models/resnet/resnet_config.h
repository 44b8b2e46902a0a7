// What ResNet reads from config.json, with transformers' defaults.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sft {

struct ResNetConfig {
  int64_t embedding_size = 64;
  std::vector<int64_t> hidden_sizes = {256, 512, 1024, 2048};
  std::vector<int64_t> depths = {3, 4, 6, 3};
  bool bottleneck = true;  // layer_type
  bool downsample_in_first_stage = false;
  bool downsample_in_bottleneck = false;
  // How the network sees pixels: (p/255 − mean)/std. Own keys, beside those of transformers, which keeps them in
  // preprocessor_config.json.
  std::vector<double> image_mean = {0.485, 0.456, 0.406};
  std::vector<double> image_std = {0.229, 0.224, 0.225};

  // "resnet18" … "resnet152" where the sizes are torchvision's, "resnet" otherwise.
  std::string torchvision_name() const;
};

// Fills `content` up with every default that was used. ConfigError names the key, what it wants and what was found.
ResNetConfig read_resnet_config(nlohmann::json& content);

}  // namespace sft
