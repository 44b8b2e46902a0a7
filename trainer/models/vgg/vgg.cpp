// The network. B images of H × W, C channels.
#include "trainer/models/vgg/vgg.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/zeros_like.h>

#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/convolution.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/vgg/vgg_config.h"

namespace sft {
namespace {

constexpr int64_t kPooledSide = 7;   // what any picture is averaged to in front of the fully connected layers
constexpr double kDeviation = 0.01;  // of the fully connected layers' weights

struct Convolution {
  at::Tensor weight, bias;  // [out, in, 3, 3], [out]
  std::optional<BatchNorm> norm;
  bool is_pooled = false;  // behind it
};

// In floating point, which cannot overflow.
double num_parameters(const VggConfig& config) {
  double parameters = 0, in = 3;
  for (size_t s = 0; s < config.depths.size(); ++s) {
    const auto out = static_cast<double>(config.hidden_sizes[s]);
    parameters += 9 * out * (in + static_cast<double>(config.depths[s] - 1) * out);
    in = out;
  }
  const auto wide = static_cast<double>(config.classifier_size);
  return parameters + wide * (in * kPooledSide * kPooledSide + wide);
}

class Vgg final : public Model {
 public:
  Vgg(nlohmann::json content, const VggConfig& config, const ModelSettings& settings)
      : content_(std::move(content)),
        config_(config),
        pixels_(config.pixels, settings.options()),
        rule_(settings.batch_norm),
        dropout_seed_(settings.dropout_seed) {
    if (settings.compute_type)
      throw ConfigError(
          concat("model.dtype: this model (vgg) is not built to compute in ", at::toString(*settings.compute_type)));
    require_memory_for(num_parameters(config_), settings.options(), "hidden_sizes, depths and classifier_size");
    ConvolutionBuilder build(parameters_, buffers_, "", settings.options(), settings.seed);
    const int64_t channels = make_convolutions(build);
    const int64_t wide = config_.classifier_size;
    make_connected(build, "classifier.0", wide, channels * kPooledSide * kPooledSide);
    make_connected(build, "classifier.3", wide, wide);
    flops_.assign(static_cast<size_t>(num_stages()), 0.0);
  }

  int num_blocks() const override { return static_cast<int>(convolutions_.size() + connected_.size()) - 1; }
  int64_t width() const override { return config_.classifier_size; }
  Parameters parameters() const override { return parameters_; }
  Parameters buffers() const override { return buffers_; }

  std::vector<NamedLinear> linears() override {
    const int first = static_cast<int>(convolutions_.size());
    return {{.name = "classifier.0", .layer = &connected_[0], .stage = first},
            {.name = "classifier.3", .layer = &connected_[1], .stage = first + 1}};
  }

  at::Tensor stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) override {
    const auto place = static_cast<size_t>(s);
    if (s == 0) {
      const at::Tensor& pixels_BHWC = images_of(inputs).pixels_BHWC;
      require_side(*this, pixels_BHWC.size(1), pixels_BHWC.size(2));
      return convolved(s, pixels_.of(images_of(inputs).pixels_BHWC), mode);
    }
    if (place < convolutions_.size()) return convolved(s, x, mode);
    return connected(s, x, images_of(inputs), mode);
  }

  at::Tensor features(const at::Tensor& x) const override { return x; }
  bool has_batch_norms() const override { return config_.batch_norm; }
  bool has_pooler() const override { return false; }
  at::Tensor pool(const at::Tensor& first_BC, const RowKeys&) override { return first_BC; }
  int64_t least_side() const override { return int64_t{1} << config_.depths.size(); }  // every pooling halves a picture
  bool moves_where_frozen(int stage) const override {
    const bool has_norm = stage < std::ssize(convolutions_) && convolutions_[static_cast<size_t>(stage)].norm;
    return has_norm && !rule_.still_where_frozen && rule_.mode != BatchNormMode::frozen;
  }
  HeadShape sequence_head() const override { return {.output = "classifier.6"}; }
  double initializer_range() const override { return kDeviation; }
  const nlohmann::json& config() const override { return content_; }
  double flops(int64_t images, int64_t) const override {
    return std::accumulate(flops_.begin(), flops_.end(), 0.0) * static_cast<double>(images);
  }
  std::string architecture(const std::string& class_ending) const override {
    if (class_ending == "ForImageClassification") return config_.torchvision_name();
    throw ConfigError(
        concat("model_type vgg has no class that ends in ", class_ending, "; it does image_classification"));
  }
  std::string prefix() const override { return ""; }
  std::string canonical(const std::string& file_name) const override { return file_name; }

 private:
  // Of the layers in torchvision's list: convolution, norm, ReLU and pooling are counted. The channels that go out.
  int64_t make_convolutions(ConvolutionBuilder& build) {
    int64_t in = config_.pixels.channels(), place = 0;
    for (size_t s = 0; s < config_.depths.size(); ++s) {
      const int64_t out = config_.hidden_sizes[s];
      for (int64_t l = 0; l < config_.depths[s]; ++l) {
        const int stage = static_cast<int>(convolutions_.size());
        const std::string name = concat("features.", place);
        Convolution& made = convolutions_.emplace_back();
        made.weight = build.weight(name + ".weight", out, in, 3, stage);
        made.bias = build.bias(name + ".bias", out, stage);
        if (config_.batch_norm) made.norm = build.norm(concat("features.", place + 1), out, stage);
        made.is_pooled = l + 1 == config_.depths[s];
        place += (config_.batch_norm ? 3 : 2) + (made.is_pooled ? 1 : 0);
        in = out;
      }
    }
    return in;
  }

  void make_connected(ConvolutionBuilder& build, const std::string& name, int64_t out, int64_t in) {
    const int stage = static_cast<int>(convolutions_.size() + connected_.size());
    Linear layer{.weight = build.matrix(name + ".weight", out, in, kDeviation, stage), .bias = {}};
    layer.bias = build.bias(name + ".bias", out, stage);
    connected_.push_back(layer);
  }

  at::Tensor convolved(int stage, const at::Tensor& x_BCHW, Mode mode) {
    const Convolution& layer = convolutions_[static_cast<size_t>(stage)];
    at::Tensor y_BCHW = at::conv2d(x_BCHW, layer.weight, layer.bias, /*stride=*/{1, 1}, /*padding=*/{1, 1});
    if (y_BCHW.size(0) > 0)
      flops_[static_cast<size_t>(stage)] =
          2.0 * static_cast<double>(y_BCHW[0].numel()) * static_cast<double>(layer.weight[0].numel());
    if (layer.norm) y_BCHW = batch_norm_by_rule(y_BCHW, *layer.norm, rule_, mode == Mode::training);
    y_BCHW = y_BCHW.relu_();
    return layer.is_pooled ? at::max_pool2d(y_BCHW, {2, 2}) : y_BCHW;
  }

  at::Tensor connected(int stage, const at::Tensor& x, const ImageInputs& inputs, Mode mode) {
    const Linear& layer = connected_[static_cast<size_t>(stage) - convolutions_.size()];
    flops_[static_cast<size_t>(stage)] = 2.0 * static_cast<double>(layer.weight.numel());
    const at::Tensor x_BC =
        x.dim() == 4 ? at::adaptive_avg_pool2d(x, {kPooledSide, kPooledSide}).contiguous().flatten(1) : x;
    const at::Tensor& draws_B = inputs.draws_B;
    const at::Tensor first_B = at::zeros_like(draws_B);
    const at::Tensor y_BC = linear(x_BC, layer, row_keys(mode, draws_B, first_B)).relu();
    return keyed_dropout(y_BC, dropout_key(dropout_seed_, "classifier", stage), draws_B, first_B,
                         mode == Mode::training ? config_.classifier_dropout : 0.0);
  }

  nlohmann::json content_;
  VggConfig config_;
  ScaledPixels pixels_;
  BatchNormRule rule_;
  uint64_t dropout_seed_;
  std::vector<Convolution> convolutions_;
  std::vector<Linear> connected_;
  Parameters parameters_, buffers_;
  std::vector<double> flops_;  // of each stage on the last image that it saw: known when its size is
};

}  // namespace

std::unique_ptr<Model> make_vgg(nlohmann::json content, const ModelSettings& settings) {
  const VggConfig config = read_vgg_config(content);
  return std::make_unique<Vgg>(std::move(content), config, settings);
}

}  // namespace sft
