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
  ResNet(nlohmann::json content, const at::TensorOptions& options, InitialSeed seed);

  int num_blocks() const override { return static_cast<int>(blocks_.size()); }
  int64_t width() const override { return config_.hidden_sizes.back(); }

  Parameters parameters() const override { return parameters_; }
  Parameters buffers() const override { return buffers_; }
  at::Tensor frozen_part(const Inputs& inputs, Reads reads) override;
  Features trained_part(at::Tensor x, const Inputs& inputs, Reads reads) override;
  bool has_pooler() const override { return false; }
  at::Tensor pool(const at::Tensor& first_BC) override { return first_BC; }

  void set_training(const std::vector<bool>& training) override { training_ = training; }
  void set_first_trained(int stage) override { first_trained_ = stage; }
  void set_dropout_seed(uint64_t) override {}
  void set_batch_norm(const BatchNormRule& rule) override { rule_ = rule; }
  bool moves_where_frozen() const override { return !rule_.still_where_frozen && rule_.mode != BatchNormMode::frozen; }

  HeadShape head(Reads) const override { return {.output = torchvision_ ? "fc" : "classifier.1"}; }
  double initializer_range() const override;
  const nlohmann::json& config() const override { return content_; }
  double flops(int64_t images, int64_t samples, Reads reads) const override;
  std::string architecture(const std::string& task) const override;
  std::string prefix() const override { return torchvision_ ? "" : "resnet."; }
  std::string canonical(const std::string& file_name) const override;
  void adopt_names(const std::vector<std::string>& file_names) override;

 private:
  class Builder;
  void use_torchvision_names();
  at::Tensor stage(int stage, const at::Tensor& x_BCHW, const ImageInputs& inputs);
  at::Tensor stem(const ImageInputs& inputs);
  at::Tensor block(int stage, const at::Tensor& x_BCHW);
  at::Tensor conv_norm(int stage, const at::Tensor& x_BCHW, const ConvNorm& layer);

  nlohmann::json content_;
  ResNetConfig config_;
  ConvNorm stem_;
  std::vector<ResidualBlock> blocks_;
  Parameters parameters_, buffers_;
  at::Tensor mean_, std_;  // [1, 3, 1, 1]
  BatchNormRule rule_;
  std::vector<bool> training_;
  int first_trained_ = 0;
  bool torchvision_ = false;
  double flops_ = 0, frozen_flops_ = 0;  // of the last image, and of its frozen part: known when its size is
};

std::unique_ptr<Model> make_resnet(nlohmann::json content, const at::TensorOptions& options, InitialSeed seed);

}  // namespace sft
