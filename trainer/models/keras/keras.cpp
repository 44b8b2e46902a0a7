#include "trainer/models/keras/keras.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <numeric>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/memory_check.h"
#include "trainer/models/blocks/pixels.h"
#include "trainer/models/initialize.h"
#include "trainer/models/keras/describe.h"

namespace sft {
namespace {

double num_parameters(const std::vector<keras::PlacedVariable>& variables) {
  double all = 0;
  for (const keras::PlacedVariable& placed : variables) {
    double size = 1;
    for (const int64_t side : placed.variable.shape) size *= static_cast<double>(side);
    all += size;
  }
  return all;
}

at::Tensor made(const keras::PlacedVariable& placed, const ModelSettings& settings, const at::TensorOptions& options) {
  const keras::Variable& variable = placed.variable;
  if (variable.bound > 0 && !settings.seed) return at::empty(variable.shape, options);
  if (variable.bound > 0)
    return uniform_parameter(placed.name, variable.shape, variable.bound, *settings.seed, options);
  return constant_parameter(variable.shape, variable.start, options);
}

std::vector<double> by_channel(const keras::Preprocessing& preprocessing, const std::vector<double>& rgb,
                               int64_t channels) {
  if (channels == 1) return {(rgb[0] + rgb[1] + rgb[2]) / 3};
  if (preprocessing.blue_first) return {rgb[2], rgb[1], rgb[0]};
  return rgb;
}

std::vector<double> in_pixels(std::vector<double> values) {
  for (double& value : values) value *= 255;
  return values;
}

}  // namespace

Keras::Keras(nlohmann::json content, const ModelSettings& settings)
    : content_(std::move(content)),
      plan_(keras::plan_model(content_, settings.dropout_seed)),
      options_(settings.options()),
      rule_(settings.batch_norm) {
  if (settings.compute_type)
    throw ConfigError(
        concat("model.dtype: this model (keras) is not built to compute in ", at::toString(*settings.compute_type)));
  require_memory_for(num_parameters(plan_.network->variables()), options_, "the shapes of its layers");
  const keras::Preprocessing& pixels = plan_.preprocessing;
  const int64_t channels = plan_.network->input().back();
  const auto constant = [&](const std::vector<double>& rgb) {
    return at::tensor(in_pixels(by_channel(pixels, rgb, channels)), at::kDouble).to(options_).view({1, channels, 1, 1});
  };
  offset_ = constant(pixels.mean);
  scale_ = constant(pixels.std);
  make_variables(settings);
  flops_.assign(plan_.network->size() + 1, 0.0);
  content_["keras_config"] = keras::describe(*plan_.graph, plan_.output, plan_.output.classes);
  for (const char* said : {"output_layer", "architecture", "include_top", "input_shape", "classes"})
    content_.erase(said);
}

void Keras::make_variables(const ModelSettings& settings) {
  keras::Tensors values;
  for (const keras::PlacedVariable& placed : plan_.network->variables()) {
    const keras::Variable& variable = placed.variable;
    const int stage = placed.layer + 1;
    values.push_back(made(placed, settings, options_));
    if (variable.trains) values.back().set_requires_grad(true);
    (variable.trains ? parameters_ : buffers_)
        .push_back({.name = placed.name, .value = values.back(), .stage = stage, .decays = variable.decays});
  }
  plan_.network->hold(values);
}

// Stage 0 gives the pixels as the model wants them, stage s the layer s − 1 of the graph; in front of a cut a stage
// hands on what came into it.
at::Tensor Keras::stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) {
  if (s == 0) return pixels(images_of(inputs));
  const int layer = s - 1;
  if (!plan_.network->is_cut(layer)) return x;
  double& flops = flops_[static_cast<size_t>(s)];
  flops = 0;
  const keras::Pass pass{mode, draws_of(inputs), rule_, &flops};
  return plan_.network->run(plan_.network->cut_before(layer) + 1, layer, x, pass);
}

at::Tensor Keras::pixels(const ImageInputs& inputs) const {
  const at::Tensor pixels_BCHW = inputs.pixels_BHWC.permute({0, 3, 1, 2});
  const keras::Shape& wanted = plan_.network->input();
  for (const size_t along : {size_t{0}, size_t{1}})
    if (wanted[along] >= 0 && wanted[along] != pixels_BCHW.size(static_cast<int64_t>(along) + 2))
      throw ConfigError(concat("the Keras model takes pictures of ", wanted[0], " × ", wanted[1],
                               " pixels, and they are of ", pixels_BCHW.size(2), " × ", pixels_BCHW.size(3),
                               wanted[0] == wanted[1] ? concat("; set data.image_size = ", wanted[0])
                                                      : "; pictures are brought to squares only"));
  const at::Tensor channels = wanted[2] == 1                   ? grey_of(pixels_BCHW)
                              : plan_.preprocessing.blue_first ? pixels_BCHW.flip(1)
                                                               : pixels_BCHW;
  const at::Tensor x = channels.to(options_, /*non_blocking=*/false, /*copy=*/false, at::MemoryFormat::Contiguous);
  return (x - offset_) / scale_;
}

bool Keras::has_batch_norms() const { return !buffers_.empty(); }

std::vector<std::string> Keras::stage_names() const {
  std::vector<std::string> names = {plan_.graph->input_name.empty() ? "the input" : plan_.graph->input_name};
  for (const keras::GraphLayer& layer : plan_.graph->layers) names.push_back(concat(layer.name, " (", layer.kind, ")"));
  return names;
}

HeadShape Keras::sequence_head() const {
  return {.output = plan_.output.dense, .has_bias = plan_.output.has_bias, .form = LayerForm::keras};
}

double Keras::flops(int64_t images, int64_t) const {
  return std::accumulate(flops_.begin(), flops_.end(), 0.0) * static_cast<double>(images);
}

std::string Keras::architecture(const std::string& class_ending) const {
  if (class_ending != "ForImageClassification")
    throw ConfigError(
        concat("model_type keras has no class that ends in ", class_ending, "; it does image_classification"));
  return "KerasForImageClassification";
}

std::unique_ptr<Model> make_keras(nlohmann::json content, const ModelSettings& settings) {
  return std::make_unique<Keras>(std::move(content), settings);
}

}  // namespace sft
