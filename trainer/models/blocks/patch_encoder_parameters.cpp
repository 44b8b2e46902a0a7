// Making a picture encoder's parameters, and their names in files.
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/blocks/patch_encoder.h"
#include "trainer/models/initialize.h"

namespace sft {
namespace {

// In floating point, which cannot overflow; vectors are left out beside the matrices.
double num_parameters(const PatchShape& shape) {
  const auto width = static_cast<double>(shape.width);
  const double pixels = 3.0 * static_cast<double>(shape.patch_size) * static_cast<double>(shape.patch_size);
  const auto tables = static_cast<double>(shape.has_mid_positions ? shape.blocks : 1);
  return (pixels + tables * static_cast<double>(shape.rows())) * width +
         static_cast<double>(shape.blocks) * (4 * width + (shape.is_gated ? 3 : 2) * static_cast<double>(shape.inner)) *
             width;
}

}  // namespace

PatchEncoder::PatchEncoder(nlohmann::json content, const PatchShape& shape, const PatchNames& names, Reads reads,
                           const ModelSettings& settings)
    : TextNetwork(std::move(content), settings),
      shape_(shape),
      names_(names),
      reads_(reads),
      pixels_(shape.pixels, settings.options()),
      seen_(shape.grid()) {
  require_memory_for(num_parameters(shape_), settings.held_options(),
                     concat(shape_.patches(), " patches and ", shape_.blocks, " layers of ", shape_.width, " and ",
                            shape_.inner, " channels"));
  const int64_t channels = shape_.width, patch = shape_.patch_size;
  ParameterBuilder build = builder(names_.prefix, shape_.initializer_range);
  class_token_ = build.drawn("embeddings.cls_token", {1, 1, channels}, 0);
  if (shape_.detection_tokens > 0)
    detection_tokens_ = build.drawn("embeddings.detection_tokens", {1, shape_.detection_tokens, channels}, 0);
  positions_ = build.drawn("embeddings.position_embeddings", {1, shape_.rows(), channels}, 0);
  patches_.weight = build.drawn("embeddings.patch_embeddings.projection.weight",
                                {channels, shape_.pixels.channels(), patch, patch}, 0);
  patches_.bias = build.bias("embeddings.patch_embeddings.projection.bias", channels, 0);
  if (shape_.has_mid_positions && num_blocks() > 1)
    mid_positions_ = build.drawn("encoder.mid_position_embeddings", {shape_.blocks - 1, 1, shape_.rows(), channels}, 1);
  blocks_.resize(static_cast<size_t>(shape_.blocks));
  for (int64_t i = 0; i < shape_.blocks; ++i) make_block(build, i);
  final_norm_ = build.norm("layernorm", channels, shape_.norm_eps, num_blocks());
}

void PatchEncoder::make_block(ParameterBuilder& build, int64_t i) {
  Block& block = blocks_[static_cast<size_t>(i)];
  const int stage = static_cast<int>(i) + 1;
  const int64_t channels = shape_.width, inner = shape_.is_gated ? 2 * shape_.inner : shape_.inner;
  const std::string name = concat("encoder.layer.", i, ".");
  const LinearTraits asking{.is_biased = shape_.query_key_value_bias};
  const auto scale = [&](const char* part) {
    return shape_.layer_scale ? build.layer_scale(name + part, channels, *shape_.layer_scale, stage) : at::Tensor();
  };
  block.input_norm = build.norm(name + names_.input_norm, channels, shape_.norm_eps, stage);
  block.query = build.linear(name + "attention.attention.query", channels, channels, stage, asking);
  block.key = build.linear(name + "attention.attention.key", channels, channels, stage, asking);
  block.value = build.linear(name + "attention.attention.value", channels, channels, stage, asking);
  block.attention_output = build.linear(name + "attention.output.dense", channels, channels, stage);
  block.attention_scale = scale("layer_scale1.lambda1");
  block.output_norm = build.norm(name + names_.output_norm, channels, shape_.norm_eps, stage);
  block.inner = build.linear(name + names_.inner, inner, channels, stage);
  block.output = build.linear(name + names_.output, channels, shape_.inner, stage);
  block.output_scale = scale("layer_scale2.lambda1");
  for (Linear* each : {&block.query, &block.key, &block.value, &block.attention_output, &block.inner, &block.output})
    add_layer(*each);
}

void PatchEncoder::keep_in_files(const std::string& name) {
  kept_.push_back(
      {.name = names_.prefix + name, .value = constant_parameter({1, shape_.width}, 0.0, options()), .decays = false});
}

Needs PatchEncoder::needs() const {
  return {
      {.column = {.name = "pixels", .number = Number::uint8, .shape = {shape_.image_height, shape_.image_width, 3}}}};
}

std::string PatchEncoder::architecture(const std::string& class_ending) const {
  if (class_ending == "ForImageClassification") return names_.architecture + class_ending;
  throw ConfigError(concat("model_type ", config()["model_type"].get<std::string>(), " has no class that ends in ",
                           class_ending, "; it does image_classification"));
}

// A file of the base class has no prefix.
std::string PatchEncoder::canonical(const std::string& file_name) const {
  for (const char* part : {"embeddings.", "encoder.", "layernorm.", "pooler."})
    if (file_name.starts_with(part)) return names_.prefix + file_name;
  return file_name;
}

}  // namespace sft
