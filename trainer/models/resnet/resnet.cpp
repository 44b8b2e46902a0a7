// The network. B images of H × W, C channels. Images come with their channels last in memory. So they stay on a device;
// on CPU cores oneDNN's convolutions are faster on planes: forward and backward of ResNet-18 by a quarter at 32 × 32.
#include "trainer/models/resnet/resnet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>

#include <numeric>

#include "trainer/models/blocks/convolution.h"

namespace sft {

// The last stage ends with the mean over each feature map, [B, C].
at::Tensor ResNet::stage(int s, const at::Tensor& x_BCHW, const Inputs& inputs, Mode mode) {
  flops_[static_cast<size_t>(s)] = 0;
  const at::Tensor y_BCHW = s == 0 ? stem(images_of(inputs), mode) : block(s, x_BCHW, mode);
  return s == num_blocks() ? y_BCHW.mean({2, 3}) : y_BCHW;
}

at::Tensor ResNet::stem(const ImageInputs& inputs, Mode mode) {
  const at::Tensor x_BCHW = pixels_.of(inputs.pixels_BHWC);
  return at::max_pool2d(conv_norm(0, x_BCHW, stem_, mode).relu_(), /*kernel_size=*/{3, 3}, /*stride=*/{2, 2},
                        /*padding=*/{1, 1});
}

at::Tensor ResNet::block(int stage, const at::Tensor& x_BCHW, Mode mode) {
  const ResidualBlock& block = blocks_[static_cast<size_t>(stage - 1)];
  at::Tensor y_BCHW = x_BCHW;
  for (const ConvNorm& layer : block.layers) {
    y_BCHW = conv_norm(stage, y_BCHW, layer, mode);
    if (&layer != &block.layers.back()) y_BCHW = y_BCHW.relu_();
  }
  return (y_BCHW + (block.shortcut ? conv_norm(stage, x_BCHW, *block.shortcut, mode) : x_BCHW)).relu_();
}

at::Tensor ResNet::conv_norm(int stage, const at::Tensor& x_BCHW, const ConvNorm& layer, Mode mode) {
  const int64_t kernel = layer.weight.size(2);
  const at::Tensor y_BCHW =
      at::conv2d(x_BCHW, layer.weight, /*bias=*/{}, {layer.stride, layer.stride}, {kernel / 2, kernel / 2});
  if (y_BCHW.size(0) > 0)
    flops_[static_cast<size_t>(stage)] +=
        2.0 * static_cast<double>(y_BCHW[0].numel()) * static_cast<double>(layer.weight[0].numel());
  return batch_norm_by_rule(y_BCHW, layer.norm, rule_, mode == Mode::training);
}

double ResNet::flops(int64_t images, int64_t) const {
  return std::accumulate(flops_.begin(), flops_.end(), 0.0) * static_cast<double>(images);
}

}  // namespace sft
