// The list of layers.
#include "trainer/models/keras/layers.h"

#include <map>

#include "base/errors.h"
#include "base/text.h"

namespace sft::keras {
namespace {

using Make = std::unique_ptr<Layer> (*)(const LayerPlace& place);

const std::map<std::string, Make>& makers() {
  static const std::map<std::string, Make> all = {
      {"Activation", make_activation},
      {"Add", make_merge},
      {"Average", make_merge},
      {"AveragePooling2D", make_pooling},
      {"BatchNormalization", make_batch_normalization},
      {"Concatenate", make_concatenation},
      {"Conv2D", make_convolution},
      {"Dense", make_dense},
      {"DepthwiseConv2D", make_depthwise_convolution},
      {"Dropout", make_dropout},
      {"ELU", make_activation},
      {"Flatten", make_flatten},
      {"Functional", make_nested},
      {"GlobalAveragePooling2D", make_global_pooling},
      {"GlobalMaxPooling2D", make_global_pooling},
      {"LeakyReLU", make_activation},
      {"MaxPooling2D", make_pooling},
      {"Maximum", make_merge},
      {"Minimum", make_merge},
      {"Model", make_nested},
      {"Multiply", make_merge},
      {"Normalization", make_normalization},
      {"ReLU", make_activation},
      {"Rescaling", make_rescaling},
      {"Reshape", make_reshape},
      {"SeparableConv2D", make_separable_convolution},
      {"Sequential", make_nested},
      {"Softmax", make_activation},
      {"SpatialDropout2D", make_dropout},
      {"Subtract", make_merge},
      {"ZeroPadding2D", make_zero_padding},
  };
  return all;
}

}  // namespace

std::unique_ptr<Layer> make_layer(const LayerPlace& place) {
  const GraphLayer& layer = place.layer;
  if (const auto found = makers().find(layer.kind); found != makers().end()) return found->second(place);
  if (layer.kind == "Lambda")
    throw ConfigError(concat(layer.title(),
                             ": holds Python code, which is never run from a file; write it as a layer "
                             "of Keras (Rescaling, Activation, Reshape) and save the model again"));
  std::vector<std::string> built;
  for (const auto& [kind, make] : makers()) built.push_back(kind);
  throw ConfigError(concat(layer.title(), ": this kind of layer is not built", did_you_mean(layer.kind, built),
                           "; built: ", join(built, ", ")));
}

}  // namespace sft::keras
