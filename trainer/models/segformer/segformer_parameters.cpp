// Making SegFormer's parameters, and their names in files.
#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/convolution.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/segformer/network.h"

namespace sft {
namespace {

// Of every LayerNorm: torch's own. transformers' class reads no layer_norm_eps.
constexpr double kNormEps = 1e-5;

// In floating point, which cannot overflow; vectors and small kernels are left out beside the matrices.
double num_parameters(const SegformerConfig& config) {
  double all = 0;
  for (const SegformerScale& scale : config.scales) {
    const auto width = static_cast<double>(scale.width), step = static_cast<double>(scale.reduction);
    all += static_cast<double>(scale.blocks) * width *
           ((step > 1 ? 4 + step * step : 4) * width + 2 * static_cast<double>(scale.inner));
  }
  const auto decoder = static_cast<double>(config.decoder_width);
  return all + decoder * decoder * static_cast<double>(config.scales.size());
}

Convolution convolution(ParameterBuilder& build, const std::string& name, int64_t out, int64_t in, int64_t kernel,
                        int stage) {
  const at::Tensor weight = build.drawn(name + ".weight", {out, in, kernel, kernel}, stage);
  return {weight, build.bias(name + ".bias", out, stage)};
}

}  // namespace

Segformer::Segformer(nlohmann::json content, SegformerConfig config, const ModelSettings& settings)
    : TextNetwork(std::move(content), settings),
      config_(std::move(config)),
      pixels_(config_.pixels, settings.options()),
      rule_(settings.batch_norm) {
  if (settings.compute_type)
    throw ConfigError(concat("model.dtype: this model (segformer) is not built to compute in ",
                             at::toString(*settings.compute_type)));
  require_memory_for(num_parameters(config_), settings.options(), "hidden_sizes and depths");
  ParameterBuilder build = builder("segformer.encoder.", config_.initializer_range);
  blocks_.resize(static_cast<size_t>(config_.num_blocks()));
  int stage = 0;
  for (size_t s = 0; s < config_.scales.size(); ++s) {
    const SegformerScale& scale = config_.scales[s];
    make_patches(build, s, s == 0 ? 0 : stage + 1);
    for (int64_t i = 0; i < scale.blocks; ++i) {
      Block& block = blocks_[static_cast<size_t>(stage++)];
      block.scale = s;
      block.is_first = i == 0;
      block.is_last = i + 1 == scale.blocks;
      block.drop_path = config_.drop_path * static_cast<double>(stage - 1) /
                        static_cast<double>(std::max<int64_t>(config_.num_blocks() - 1, 1));
      make_block(build, block, concat("block.", s, ".", i, "."), stage);
    }
    norms_.push_back(build.norm(concat("layer_norm.", s), scale.width, kNormEps, stage));
  }
  make_head();
}

void Segformer::make_patches(ParameterBuilder& build, size_t scale, int stage) {
  const SegformerScale& made = config_.scales[scale];
  const int64_t in = scale == 0 ? config_.pixels.channels() : config_.scales[scale - 1].width;
  const std::string name = concat("patch_embeddings.", scale, ".");
  Patches& patches = patches_.emplace_back();
  patches.convolution = convolution(build, name + "proj", made.width, in, made.patch_size, stage);
  patches.norm = build.norm(name + "layer_norm", made.width, kNormEps, stage);
}

void Segformer::make_block(ParameterBuilder& build, Block& block, const std::string& name, int stage) {
  const SegformerScale& scale = config_.scales[block.scale];
  const int64_t width = scale.width;
  const std::string attention = name + "attention.self.";
  block.input_norm = build.norm(name + "layer_norm_1", width, kNormEps, stage);
  block.query = build.linear(attention + "query", width, width, stage);
  block.key = build.linear(attention + "key", width, width, stage);
  block.value = build.linear(attention + "value", width, width, stage);
  if (scale.reduction > 1) {
    block.reduction = convolution(build, attention + "sr", width, width, scale.reduction, stage);
    block.reduced_norm = build.norm(attention + "layer_norm", width, kNormEps, stage);
  }
  block.attention_output = build.linear(name + "attention.output.dense", width, width, stage);
  block.output_norm = build.norm(name + "layer_norm_2", width, kNormEps, stage);
  block.inner = build.linear(name + "mlp.dense1", scale.inner, width, stage);
  block.mixing = convolution(build, name + "mlp.dwconv.dwconv", scale.inner, 1, 3, stage);
  block.output = build.linear(name + "mlp.dense2", width, scale.inner, stage);
  for (Linear* each : {&block.query, &block.key, &block.value, &block.attention_output, &block.inner, &block.output})
    add_layer(*each);
}

void Segformer::make_head() {
  const int64_t width = config_.decoder_width, scales = std::ssize(config_.scales);
  ParameterBuilder build = builder("decode_head.", config_.initializer_range);
  for (size_t s = 0; s < config_.scales.size(); ++s)
    projections_.push_back(build.linear(concat("linear_c.", s, ".proj"), width, config_.scales[s].width, num_blocks()));
  fuse_ = build.drawn("linear_fuse.weight", {width, scales * width, 1, 1}, num_blocks());
  norm_ = ConvolutionBuilder(norm_parameters_, buffers_, "decode_head.", options(), {})
              .norm("batch_norm", width, num_blocks());
}

Parameters Segformer::parameters() const {
  Parameters all = TextNetwork::parameters();
  all.insert(all.end(), norm_parameters_.begin(), norm_parameters_.end());
  return all;
}

std::vector<std::string> Segformer::stage_names() const {
  std::vector<std::string> names{"patch_embeddings.0"};
  for (size_t s = 0; s < config_.scales.size(); ++s)
    for (int64_t i = 0; i < config_.scales[s].blocks; ++i) names.push_back(concat("block.", s, ".", i));
  names.emplace_back("decode_head");
  return names;
}

// Every scale must have as many places of a side as its keys are reduced by.
int64_t Segformer::least_side() const {
  int64_t least = 1;
  for (auto scale = config_.scales.rbegin(); scale != config_.scales.rend(); ++scale)
    least = (std::max(least, scale->reduction) - 1) * scale->stride + (scale->patch_size % 2 == 0 ? 0 : 1);
  return std::max<int64_t>(least, 1);
}

// Of the matrix products and convolutions for pictures of the size that was seen last.
double Segformer::flops(int64_t images, int64_t) const {
  double all = 0;
  auto height = static_cast<double>(seen_.height), width = static_cast<double>(seen_.width);
  auto in = static_cast<double>(config_.pixels.channels());
  for (const SegformerScale& scale : config_.scales) {
    const auto channels = static_cast<double>(scale.width), inner = static_cast<double>(scale.inner);
    const auto step = static_cast<double>(scale.reduction), patch = static_cast<double>(scale.patch_size);
    height /= static_cast<double>(scale.stride);
    width /= static_cast<double>(scale.stride);
    const double places = height * width, keys = places / (step * step);
    const double reducing = step > 1 ? places * channels * channels : 0;
    const double block = places * channels * (2 * channels + 2 * keys) + keys * 2 * channels * channels + reducing +
                         places * inner * (2 * channels + 9);
    all += 2 * (places * channels * in * patch * patch + static_cast<double>(scale.blocks) * block +
                places * channels * static_cast<double>(config_.decoder_width));
    in = channels;
  }
  return all * static_cast<double>(images);
}

std::string Segformer::architecture(const std::string& class_ending) const {
  if (class_ending == "ForSemanticSegmentation") return "Segformer" + class_ending;
  throw ConfigError(
      concat("model_type segformer has no class that ends in ", class_ending, "; it does semantic_segmentation"));
}

// A file of the base class has no prefix.
std::string Segformer::canonical(const std::string& file_name) const {
  return file_name.starts_with("encoder.") ? prefix() + file_name : file_name;
}

}  // namespace sft
