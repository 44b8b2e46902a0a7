// ResNet (He et al., 2015; the bottleneck strides in its 3 × 3 convolution, as torchvision's does), with the names of
// transformers' ResNetForImageClassification or of torchvision, whichever the weight files have.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "trainer/models/blocks/batch_norm.h"
#include "trainer/models/blocks/pixels.h"
#include "trainer/models/model.h"
#include "trainer/models/resnet/resnet_config.h"

namespace sft {

// A convolution without bias and the norm behind it.
struct ConvNorm {
  at::Tensor weight;  // [out, in, k, k]
  BatchNorm norm;
  int64_t stride = 1;
};

struct ResidualBlock {
  std::vector<ConvNorm> layers;
  std::optional<ConvNorm> shortcut;
};

class ResNet : public Model {
 public:
  ResNet(nlohmann::json content, const ModelSettings& settings);

  const ConvNorm& stem() const { return stem_; }
  const std::vector<ResidualBlock>& blocks() const { return blocks_; }

  int num_blocks() const override { return static_cast<int>(blocks_.size()); }
  int64_t width() const override { return config_.hidden_sizes.back(); }

  Parameters parameters() const override { return parameters_; }
  Parameters buffers() const override { return buffers_; }
  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override;
  at::Tensor features(const at::Tensor& x) const override { return x; }
  bool has_batch_norms() const override { return true; }
  bool has_pooler() const override { return false; }
  at::Tensor pool(const at::Tensor& first_BC, const RowKeys&) override { return first_BC; }

  bool moves_where_frozen(int /*stage*/) const override {
    return !rule_.still_where_frozen && rule_.mode != BatchNormMode::frozen;
  }

  HeadShape sequence_head() const override { return {.output = torchvision_ ? "fc" : "classifier.1"}; }
  double initializer_range() const override;
  const nlohmann::json& config() const override { return content_; }
  double flops(int64_t images, int64_t read) const override;
  std::string architecture(const std::string& class_ending) const override;
  std::string prefix() const override { return torchvision_ ? "" : "resnet."; }
  std::string canonical(const std::string& file_name) const override;

 private:
  void take_layout_of(const std::vector<std::string>& file_names);
  void use_torchvision_names();
  at::Tensor stem(const ImageInputs& inputs, Mode mode);
  at::Tensor block(int stage, const at::Tensor& x_BCHW, Mode mode);
  at::Tensor conv_norm(int stage, const at::Tensor& x_BCHW, const ConvNorm& layer, Mode mode);

  nlohmann::json content_;
  ResNetConfig config_;
  ConvNorm stem_;
  std::vector<ResidualBlock> blocks_;
  Parameters parameters_, buffers_;
  ScaledPixels pixels_;
  BatchNormRule rule_;
  bool torchvision_ = false;
  std::vector<double> flops_;  // of each stage on the last image that it saw: known when its size is
};

std::unique_ptr<Model> make_resnet(nlohmann::json content, const ModelSettings& settings);

}  // namespace sft
