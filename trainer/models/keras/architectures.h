// Networks of keras.applications by name, for files that hold weights alone.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sft::keras {

// The config of a model as Keras writes it, layers in its order and under its names. `content` has "architecture", one
// of VGG16, VGG19, ResNet50, ResNet101, ResNet152 and MobileNetV2, and may have "classes" (1000), "include_top" (true;
// false: without the output layer and what is in front of it, behind the last picture) and "input_shape" ([224, 224,
// 3]). ConfigError for others.
nlohmann::json named_architecture(const nlohmann::json& content);

}  // namespace sft::keras
