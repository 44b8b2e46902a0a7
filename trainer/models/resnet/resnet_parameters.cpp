// Making ResNet's parameters, and their names in two layouts of files.
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/initialize.h"
#include "trainer/models/resnet/resnet.h"

namespace sft {

// Makes parameters and buffers in forward order, under transformers' names.
class ResNet::Builder {
 public:
  Builder(ResNet& net, const ModelSettings& settings) : net_(net), options_(settings.options()), seed_(settings.seed) {}

  ConvNorm conv_norm(const std::string& name, int64_t out, int64_t in, int64_t kernel, int64_t stride, int stage) {
    ConvNorm made;
    made.stride = stride;
    // Kaiming's normal for what goes out, as transformers and torchvision draw it.
    const std::string weight = name + ".convolution.weight";
    const double deviation = std::sqrt(2.0 / static_cast<double>(out * kernel * kernel));
    made.weight =
        listed(weight, normal_parameter(net_.prefix() + weight, {out, in, kernel, kernel}, deviation, seed_, options_),
               stage, true);
    const std::string norm = name + ".normalization.";
    made.norm.weight = listed(norm + "weight", constant_parameter({out}, 1.0, options_), stage, false);
    made.norm.bias = listed(norm + "bias", constant_parameter({out}, 0.0, options_), stage, false);
    made.norm.running_mean = kept(norm + "running_mean", at::zeros({out}, options_), stage);
    made.norm.running_var = kept(norm + "running_var", at::ones({out}, options_), stage);
    made.norm.num_batches_tracked = kept(norm + "num_batches_tracked", at::zeros({}, options_.dtype(at::kLong)), stage);
    return made;
  }

 private:
  at::Tensor listed(const std::string& name, const at::Tensor& value, int stage, bool decays) {
    value.set_requires_grad(true);
    net_.parameters_.push_back({net_.prefix() + name, value, stage, decays});
    return value;
  }
  at::Tensor kept(const std::string& name, const at::Tensor& value, int stage) {
    net_.buffers_.push_back({net_.prefix() + name, value, stage, false});
    return value;
  }

  ResNet& net_;
  at::TensorOptions options_;
  InitialSeed seed_;
};

ResNet::ResNet(nlohmann::json content, const ModelSettings& settings)
    : content_(std::move(content)), config_(read_resnet_config(content_)), rule_(settings.batch_norm) {
  if (settings.compute_type)
    throw ConfigError(
        concat("model.dtype: this model (resnet) is not built to compute in ", at::toString(*settings.compute_type)));
  const at::TensorOptions options = settings.options();
  mean_ = at::tensor(config_.image_mean, at::kDouble).to(options).view({1, 3, 1, 1});
  std_ = at::tensor(config_.image_std, at::kDouble).to(options).view({1, 3, 1, 1});
  Builder build(*this, settings);
  stem_ = build.conv_norm("embedder.embedder", config_.embedding_size, 3, 7, 2, 0);
  int64_t in = config_.embedding_size;
  int stage = 0;
  for (size_t s = 0; s < config_.depths.size(); ++s) {
    const int64_t out = config_.hidden_sizes[s];
    for (int64_t l = 0; l < config_.depths[s]; ++l) {
      ++stage;
      const int64_t stride = l == 0 && (s > 0 || config_.downsample_in_first_stage) ? 2 : 1;
      const std::string name = concat("encoder.stages.", s, ".layers.", l, ".");
      ResidualBlock block;
      if (in != out || stride != 1) block.shortcut = build.conv_norm(name + "shortcut", out, in, 1, stride, stage);
      const auto layer = [&](int64_t to, int64_t from, int64_t kernel, int64_t step) {
        block.layers.push_back(
            build.conv_norm(concat(name, "layer.", block.layers.size()), to, from, kernel, step, stage));
      };
      if (config_.bottleneck) {
        const int64_t inner = std::max<int64_t>(out / 4, 1);
        layer(inner, in, 1, config_.downsample_in_bottleneck ? stride : 1);
        layer(inner, inner, 3, config_.downsample_in_bottleneck ? 1 : stride);
        layer(out, inner, 1, 1);
      } else {
        layer(out, in, 3, stride);
        layer(out, out, 3, 1);
      }
      blocks_.push_back(std::move(block));
      in = out;
    }
  }
  flops_.assign(blocks_.size() + 1, 0.0);
  const auto names = content_.find("architectures");
  if (names != content_.end() && names->is_array() && !names->empty() && (*names)[0].is_string() &&
      (*names)[0].get<std::string>().starts_with("resnet"))
    use_torchvision_names();
  take_layout_of(settings.file_names);
}

// torch's default for the layer behind the pooling is uniform up to 1/√C; a normal of the same deviation is drawn here.
double ResNet::initializer_range() const { return 1.0 / std::sqrt(3.0 * static_cast<double>(width())); }

std::string ResNet::architecture(const std::string& class_ending) const {
  if (class_ending != "ForImageClassification")
    throw ConfigError(
        concat("model_type resnet has no class that ends in ", class_ending, "; it does image_classification"));
  return torchvision_ ? config_.torchvision_name() : "ResNetForImageClassification";
}

// Files of transformers' ResNetModel lack the prefix.
std::string ResNet::canonical(const std::string& file_name) const {
  if (!torchvision_ && (file_name.starts_with("embedder.") || file_name.starts_with("encoder.")))
    return prefix() + file_name;
  return file_name;
}

void ResNet::take_layout_of(const std::vector<std::string>& file_names) {
  const auto has = [&](const char* start) {
    return std::any_of(file_names.begin(), file_names.end(),
                       [&](const std::string& name) { return name.starts_with(start); });
  };
  if (!torchvision_ && has("layer1."))
    use_torchvision_names();
  else if (torchvision_ && (has("resnet.") || has("encoder.stages.")))
    throw DataError(
        "the weight files have transformers' names, and config.json says \"architectures\": [\"resnet…\"], "
        "which stands for torchvision's; remove that key");
}

// resnet.encoder.stages.1.layers.0.layer.1.normalization.bias → layer2.0.bn2.bias
void ResNet::use_torchvision_names() {
  const std::string blocks = prefix() + "encoder.stages.", stem = prefix() + "embedder.embedder.";
  const auto renamed = [&](const std::string& name) -> std::string {
    const auto part = [&](const std::string& rest, const std::string& number) {
      const bool norm = rest.starts_with("normalization.");
      return concat(norm ? "bn" : "conv", number, rest.substr(rest.find('.')));
    };
    if (name.starts_with(stem)) return part(name.substr(stem.size()), "1");
    std::string rest = name.substr(blocks.size());  // S.layers.L.layer.K.… or S.layers.L.shortcut.…
    const int64_t stage = std::stoll(rest);
    rest = rest.substr(rest.find(".layers.") + 8);
    const std::string layer = rest.substr(0, rest.find('.'));
    rest = rest.substr(layer.size() + 1);
    const std::string start = concat("layer", stage + 1, ".", layer, ".");
    if (rest.starts_with("shortcut.")) {
      rest = rest.substr(9);
      return concat(start, "downsample.", rest.starts_with("normalization.") ? "1" : "0", rest.substr(rest.find('.')));
    }
    const int64_t place = std::stoll(rest.substr(6));  // behind "layer."
    return start + part(rest.substr(rest.find('.', 6) + 1), std::to_string(place + 1));
  };
  for (Parameter& parameter : parameters_) parameter.name = renamed(parameter.name);
  for (Parameter& buffer : buffers_) buffer.name = renamed(buffer.name);
  torchvision_ = true;
}

std::unique_ptr<Model> make_resnet(nlohmann::json content, const ModelSettings& settings) {
  return std::make_unique<ResNet>(std::move(content), settings);
}

}  // namespace sft
