// What VGG reads from config.json: torchvision's name of it, or the sizes, under keys of our own.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/models/blocks/pixels.h"

namespace sft {

struct VggConfig {
  std::vector<int64_t> depths = {2, 2, 3, 3, 3};                 // convolutions in front of each pooling
  std::vector<int64_t> hidden_sizes = {64, 128, 256, 512, 512};  // their channels
  bool batch_norm = false;                                       // behind every convolution
  int64_t classifier_size = 4096;                                // channels of the two fully connected layers
  double classifier_dropout = 0.5;
  PixelScale pixels;

  // "vgg11" … "vgg19_bn" where the sizes are torchvision's, "vgg" otherwise.
  std::string torchvision_name() const;
};

// "architectures" that begins with "vgg16_bn" and its like gives the sizes that keys do not; without either it is
// vgg16. Fills `content` up with every value that was used. ConfigError names the key, what it wants and what was
// found.
VggConfig read_vgg_config(nlohmann::json& content);

}  // namespace sft
