// How a Keras model wants its pixels. Its file does not say: Keras's preprocess_input is called outside the model.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/models/keras/graph.h"

namespace sft::keras {

// A pixel p of 0 … 255 comes to the model as (p/255 − mean)/std of its channel.
struct Preprocessing {
  std::vector<double> mean, std;  // of red, green and blue
  bool blue_first = false;        // the channels' order in the model
};

// From config.json's content: "preprocessing" names one of "caffe" (blue first, less the means of ImageNet, not
// scaled: VGG and ResNet), "tf" (−1 … 1: MobileNet, Xception, Inception), "torch" (torchvision's: DenseNet), "raw"
// (0 … 255), "unit" (0 … 1); else "image_mean", "image_std" and "channel_order" say it; else it is guessed from the
// model's name and from a Rescaling or Normalization in front, with a warning. `content` keeps what was found.
Preprocessing read_preprocessing(nlohmann::json& content, const Graph& graph);

}  // namespace sft::keras
