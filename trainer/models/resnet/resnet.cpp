// The network. B images of H × W, C channels. Images come with their channels last in memory. So they stay on a device;
// on CPU cores oneDNN's convolutions are faster on planes: forward and backward of ResNet-18 by a quarter at 32 × 32.
#include "trainer/models/resnet/resnet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <c10/core/GradMode.h>

#include <algorithm>

namespace sft {

// Of images there is a row each from the first convolution on; where all of them are frozen, their mean.
at::Tensor ResNet::frozen_part(const Inputs& inputs, Reads) {
  const c10::AutoGradMode no_graph(false);
  flops_ = 0;
  at::Tensor x_BCHW;
  for (int s = 0; s < std::min(first_trained_, num_blocks() + 1); ++s) x_BCHW = stage(s, x_BCHW, images_of(inputs));
  frozen_flops_ = flops_;
  return first_trained_ > num_blocks() ? x_BCHW.mean({2, 3}) : x_BCHW;
}

Features ResNet::trained_part(at::Tensor x, const Inputs& inputs, Reads reads) {
  flops_ = frozen_flops_;
  for (int s = first_trained_; s <= num_blocks(); ++s) x = stage(s, x, images_of(inputs));
  return {first_trained_ > num_blocks() ? x : x.mean({2, 3}), reads};
}

at::Tensor ResNet::stage(int stage, const at::Tensor& x_BCHW, const ImageInputs& inputs) {
  return stage == 0 ? stem(inputs) : block(stage, x_BCHW);
}

at::Tensor ResNet::stem(const ImageInputs& inputs) {
  const auto layout = inputs.pixels_BHWC.is_cpu() ? at::MemoryFormat::Contiguous : at::MemoryFormat::Preserve;
  const at::Tensor pixels_BCHW = inputs.pixels_BHWC.permute({0, 3, 1, 2})
                                     .to(stem_.weight.scalar_type(), /*non_blocking=*/false, /*copy=*/false, layout);
  const at::Tensor x_BCHW = pixels_BCHW.div(255).sub_(mean_).div_(std_);
  return at::max_pool2d(conv_norm(0, x_BCHW, stem_).relu_(), /*kernel_size=*/{3, 3}, /*stride=*/{2, 2},
                        /*padding=*/{1, 1});
}

at::Tensor ResNet::block(int stage, const at::Tensor& x_BCHW) {
  const ResidualBlock& block = blocks_[static_cast<size_t>(stage - 1)];
  at::Tensor y_BCHW = x_BCHW;
  for (const ConvNorm& layer : block.layers) {
    y_BCHW = conv_norm(stage, y_BCHW, layer);
    if (&layer != &block.layers.back()) y_BCHW = y_BCHW.relu_();
  }
  return (y_BCHW + (block.shortcut ? conv_norm(stage, x_BCHW, *block.shortcut) : x_BCHW)).relu_();
}

at::Tensor ResNet::conv_norm(int stage, const at::Tensor& x_BCHW, const ConvNorm& layer) {
  const int64_t kernel = layer.weight.size(2);
  const at::Tensor y_BCHW =
      at::conv2d(x_BCHW, layer.weight, /*bias=*/{}, {layer.stride, layer.stride}, {kernel / 2, kernel / 2});
  if (y_BCHW.size(0) > 0)
    flops_ += 2.0 * static_cast<double>(y_BCHW[0].numel()) * static_cast<double>(layer.weight[0].numel());
  const bool trains = layer.norm.weight.requires_grad() || layer.norm.bias.requires_grad();
  const bool by_batch = training_[static_cast<size_t>(stage)] && rule_.mode != BatchNormMode::frozen &&
                        (trains || !rule_.still_where_frozen);
  if (!by_batch) return batch_norm_by_running(y_BCHW, layer.norm);
  return batch_norm_by_batch(y_BCHW, layer.norm, rule_.mode == BatchNormMode::synchronized ? rule_.over : nullptr);
}

double ResNet::flops(int64_t images, int64_t, Reads) const { return flops_ * static_cast<double>(images); }

}  // namespace sft
