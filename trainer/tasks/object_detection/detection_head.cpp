#include "trainer/tasks/object_detection/detection_head.h"

#include <ATen/ops/linear.h>

#include "base/text.h"
#include "trainer/models/blocks/parameter_builder.h"

namespace sft {
namespace {

at::Tensor through(at::Tensor x, const std::array<Linear, 3>& layers) {
  for (size_t i = 0; i < layers.size(); ++i) {
    x = at::linear(x, layers[i].weight, layers[i].bias);
    if (i + 1 < layers.size()) x = x.relu();
  }
  return x;
}

}  // namespace

DetectionHead::DetectionHead(int64_t num_classes, const Model& model, const TaskSettings& settings)
    : classes_(layers("class_labels_classifier", num_classes + 1, model, settings)),
      boxes_(layers("bbox_predictor", 4, model, settings)) {}

DetectionHead::Layers DetectionHead::layers(const std::string& name, int64_t outputs, const Model& model,
                                            const TaskSettings& settings) {
  ParameterBuilder build(parameters_, name + ".layers.",
                         at::TensorOptions().dtype(settings.dtype).device(settings.device), model.initializer_range(),
                         settings.seed);
  Layers made;
  for (size_t i = 0; i < made.size(); ++i)
    made[i] = build.linear(std::to_string(i), i + 1 < made.size() ? model.width() : outputs, model.width(),
                           model.head_stage());
  for (Parameter& parameter : parameters_) parameter.may_be_narrow = false;  // products here are of one type
  return made;
}

Detections DetectionHead::operator()(const at::Tensor& features_BDC) const {
  return {through(features_BDC, classes_), through(features_BDC, boxes_).sigmoid()};
}

double DetectionHead::flops(int64_t rows) const {
  double all = 0;
  for (const Layers* each : {&classes_, &boxes_})
    for (const Linear& layer : *each) all += 2 * static_cast<double>(rows * layer.weight.numel());
  return all;
}

}  // namespace sft
