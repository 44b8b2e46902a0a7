// Making ResNet's parameters, and their names in two layouts of files.
#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/convolution.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/resnet/resnet.h"

namespace sft {
namespace {

// Of the blocks' convolutions, in floating point, which cannot overflow.
double num_parameters(const ResNetConfig& config) {
  double parameters = 7.0 * 7 * 3 * static_cast<double>(config.embedding_size);
  for (size_t s = 0; s < config.depths.size(); ++s) {
    const auto width = static_cast<double>(config.hidden_sizes[s]);
    const double block = config.bottleneck ? (2.0 / 4 + 9.0 / 16) * width * width : 2.0 * 9 * width * width;
    parameters += static_cast<double>(config.depths[s]) * block;
  }
  return parameters;
}

}  // namespace

ResNet::ResNet(nlohmann::json content, const ModelSettings& settings)
    : content_(std::move(content)),
      config_(read_resnet_config(content_)),
      pixels_(config_.pixels, settings.options()),
      rule_(settings.batch_norm) {
  if (settings.compute_type)
    throw ConfigError(
        concat("model.dtype: this model (resnet) is not built to compute in ", at::toString(*settings.compute_type)));
  require_memory_for(num_parameters(config_), settings.options(), "hidden_sizes and depths");
  ConvolutionBuilder build(parameters_, buffers_, prefix(), settings.options(), settings.seed);
  const auto conv_norm = [&](const std::string& name, int64_t out, int64_t in, int64_t kernel, int64_t stride,
                             int stage) {
    const at::Tensor weight = build.weight(name + ".convolution.weight", out, in, kernel, stage);
    return ConvNorm{weight, build.norm(name + ".normalization", out, stage), stride};
  };
  stem_ = conv_norm("embedder.embedder", config_.embedding_size, config_.pixels.channels(), 7, 2, 0);
  int64_t in = config_.embedding_size;
  int stage = 0;
  for (size_t s = 0; s < config_.depths.size(); ++s) {
    const int64_t out = config_.hidden_sizes[s];
    for (int64_t l = 0; l < config_.depths[s]; ++l) {
      ++stage;
      const int64_t stride = l == 0 && (s > 0 || config_.downsample_in_first_stage) ? 2 : 1;
      const std::string name = concat("encoder.stages.", s, ".layers.", l, ".");
      ResidualBlock block;
      if (in != out || stride != 1) block.shortcut = conv_norm(name + "shortcut", out, in, 1, stride, stage);
      const auto layer = [&](int64_t to, int64_t from, int64_t kernel, int64_t step) {
        block.layers.push_back(conv_norm(concat(name, "layer.", block.layers.size()), to, from, kernel, step, stage));
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
