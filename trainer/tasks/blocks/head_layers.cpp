#include "trainer/tasks/blocks/head_layers.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>

#include <cassert>
#include <string>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/dropout.h"
#include "trainer/models/blocks/layer_norm.h"
#include "trainer/models/initialize.h"
#include "trainer/models/keras/layer.h"

namespace sft {

namespace {

at::TensorOptions options_of(const TaskSettings& settings) {
  return at::TensorOptions().dtype(settings.dtype).device(settings.device);
}

at::Tensor weight_of(const std::string& layer, int64_t outputs, const HeadShape& shape, std::optional<double> deviation,
                     const Model& model, const TaskSettings& settings, Parameters& list) {
  const std::string name = layer + ".weight";
  const at::Tensor weight =
      normal_parameter(name, {outputs, model.width()}, deviation.value_or(model.initializer_range()), settings.seed,
                       options_of(settings), shape.cutoff);
  list.push_back({.name = name, .value = weight, .stage = model.head_stage(), .decays = true});
  return weight;
}

at::Tensor vector_of(const std::string& name, int64_t width, double value, const Model& model,
                     const TaskSettings& settings, Parameters& list) {
  const at::Tensor vector = constant_parameter({width}, value, options_of(settings));
  list.push_back({.name = name, .value = vector, .stage = model.head_stage(), .decays = false});
  return vector;
}

Linear hidden_layer(const HeadShape& shape, const Model& model, const TaskSettings& settings, Parameters& list) {
  Linear layer{.weight = weight_of(shape.hidden, model.width(), shape, shape.hidden_deviation, model, settings, list),
               .bias = {}};
  if (shape.hidden_has_bias) layer.bias = vector_of(shape.hidden + ".bias", model.width(), 0, model, settings, list);
  return layer;
}

LayerNorm head_norm(const HeadNorm& shape, const Model& model, const TaskSettings& settings, Parameters& list) {
  LayerNorm norm{.weight = vector_of(shape.name + ".weight", model.width(), 1, model, settings, list),
                 .bias = {},
                 .eps = shape.eps};
  if (shape.has_bias) norm.bias = vector_of(shape.name + ".bias", model.width(), 0, model, settings, list);
  return norm;
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
  if (shape.has_bias) layer.bias = vector_of(shape.output + "/bias", outputs, 0, model, settings, list);
  return layer;
}

}  // namespace

Linear output_layer(const HeadShape& shape, int64_t outputs, const Model& model, const TaskSettings& settings,
                    Parameters& list) {
  if (shape.form == LayerForm::keras) return keras_layer(shape, outputs, model, settings, list);
  Linear layer{.weight = weight_of(shape.output, outputs, shape, shape.output_deviation, model, settings, list),
               .bias = {}};
  if (shape.has_bias) layer.bias = vector_of(shape.output + ".bias", outputs, 0, model, settings, list);
  return layer;
}

HeadLayers::HeadLayers(const HeadShape& shape, int64_t num_outputs, const Model& model, const TaskSettings& settings)
    : shape_(shape),
      input_key_(dropout_key(settings.dropout_seed, "head.input")),
      key_(dropout_key(settings.dropout_seed, "head")) {
  if (!shape_.hidden.empty()) hidden_ = hidden_layer(shape_, model, settings, parameters_);
  if (shape_.norm) norm_ = head_norm(*shape_.norm, model, settings, parameters_);
  if (!shape_.output.empty())
    output_ = output_layer(shape_, num_outputs, model, settings, parameters_);
  else if (model.width() != num_outputs)
    throw ConfigError(concat("the model's own output layer has ", model.width(), " classes, and the data has ",
                             num_outputs, "; give it a new one: model.config = { output_layer = \"new\" }"));
}

void HeadLayers::divide_logits(double by) const {
  assert(has_own_output());
  const at::NoGradGuard no_graph;
  output_.weight.detach().div_(by);
  if (output_.bias.defined()) output_.bias.detach().div_(by);
}

at::Tensor HeadLayers::logits(const at::Tensor& x_RC, const at::Tensor& draws_R, const at::Tensor& positions_R,
                              Mode mode) const {
  const auto dropped = [&](const at::Tensor& rows_RC, const DropoutKey& key, double p) {
    return keyed_dropout(rows_RC, key, draws_R, positions_R, mode == Mode::training ? p : 0.0);
  };
  at::Tensor y_RC = x_RC;
  if (!shape_.hidden.empty()) {
    y_RC = at::linear(dropped(y_RC, input_key_, shape_.input_dropout), hidden_.weight);
    y_RC = hidden_.bias.defined() ? activate(shape_.activation, y_RC, hidden_.bias) : activate(shape_.activation, y_RC);
  }
  if (norm_.weight.defined()) y_RC = layer_normed(y_RC, norm_);
  if (!output_.weight.defined()) return y_RC;
  return at::linear(dropped(y_RC, key_, shape_.dropout), output_.weight, output_.bias);
}

}  // namespace sft
