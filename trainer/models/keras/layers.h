// The layers that are built, a function each; layers.cpp has their list.
#pragma once

#include <memory>

#include "trainer/models/keras/layer.h"

namespace sft::keras {

inline constexpr int64_t kMostChannels = 1 << 20;

std::unique_ptr<Layer> make_dense(const LayerPlace& place);
std::unique_ptr<Layer> make_convolution(const LayerPlace& place);            // Conv2D
std::unique_ptr<Layer> make_depthwise_convolution(const LayerPlace& place);  // DepthwiseConv2D
std::unique_ptr<Layer> make_separable_convolution(const LayerPlace& place);  // SeparableConv2D
std::unique_ptr<Layer> make_batch_normalization(const LayerPlace& place);
std::unique_ptr<Layer> make_activation(const LayerPlace& place);  // Activation, ReLU, LeakyReLU, ELU, Softmax
std::unique_ptr<Layer> make_pooling(const LayerPlace& place);     // MaxPooling2D, AveragePooling2D
std::unique_ptr<Layer> make_global_pooling(const LayerPlace& place);
std::unique_ptr<Layer> make_dropout(const LayerPlace& place);
std::unique_ptr<Layer> make_zero_padding(const LayerPlace& place);
std::unique_ptr<Layer> make_flatten(const LayerPlace& place);
std::unique_ptr<Layer> make_reshape(const LayerPlace& place);
std::unique_ptr<Layer> make_rescaling(const LayerPlace& place);
std::unique_ptr<Layer> make_normalization(const LayerPlace& place);
std::unique_ptr<Layer> make_merge(const LayerPlace& place);  // Add, Subtract, Multiply, Average, Maximum, Minimum
std::unique_ptr<Layer> make_concatenation(const LayerPlace& place);
std::unique_ptr<Layer> make_nested(const LayerPlace& place);  // Functional, Model, Sequential

}  // namespace sft::keras
