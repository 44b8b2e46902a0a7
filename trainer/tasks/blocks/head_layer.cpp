#include "trainer/tasks/blocks/head_layer.h"

#include "trainer/models/initialize.h"
#include "trainer/models/keras/layer.h"

namespace sft {

namespace {

at::TensorOptions options_of(const TaskSettings& settings) {
  return at::TensorOptions().dtype(settings.dtype).device(settings.device);
}

at::Tensor weight_of(const std::string& layer, int64_t outputs, const Model& model, const TaskSettings& settings,
                     Parameters& list) {
  const std::string name = layer + ".weight";
  const at::Tensor weight =
      normal_parameter(name, {outputs, model.width()}, model.initializer_range(), settings.seed, options_of(settings));
  list.push_back({.name = name, .value = weight, .stage = model.head_stage(), .decays = true});
  return weight;
}

at::Tensor bias_of(const std::string& name, int64_t outputs, const Model& model, const TaskSettings& settings,
                   Parameters& list) {
  const at::Tensor bias = constant_parameter({outputs}, 0.0, options_of(settings));
  list.push_back({.name = name, .value = bias, .stage = model.head_stage(), .decays = false});
  return bias;
}

Linear keras_layer(const HeadShape& shape, int64_t outputs, const Model& model, const TaskSettings& settings,
                   Parameters& list) {
  const std::string name = shape.output + "/kernel";
  const double bound = keras::glorot_bound(static_cast<double>(model.width()), static_cast<double>(outputs));
  const at::Tensor weight =
      uniform_parameter(name, {outputs, model.width()}, bound, settings.seed, options_of(settings));
  list.push_back(
      {.name = name, .value = weight, .stage = model.head_stage(), .decays = true, .is_transposed_in_files = true});
  Linear layer{.weight = weight, .bias = {}};
  if (shape.has_bias) layer.bias = bias_of(shape.output + "/bias", outputs, model, settings, list);
  return layer;
}

}  // namespace

Linear head_layer(const std::string& name, int64_t outputs, const Model& model, const TaskSettings& settings,
                  Parameters& list) {
  Linear layer{.weight = weight_of(name, outputs, model, settings, list), .bias = {}};
  layer.bias = bias_of(name + ".bias", outputs, model, settings, list);
  return layer;
}

Linear output_layer(const HeadShape& shape, int64_t outputs, const Model& model, const TaskSettings& settings,
                    Parameters& list) {
  if (shape.form == LayerForm::keras) return keras_layer(shape, outputs, model, settings, list);
  if (shape.has_bias) return head_layer(shape.output, outputs, model, settings, list);
  return {.weight = weight_of(shape.output, outputs, model, settings, list), .bias = {}};
}

}  // namespace sft
