#include "trainer/tasks/blocks/head_layer.h"

#include "trainer/models/initialize.h"

namespace sft {

Linear head_layer(const std::string& name, int64_t outputs, const Model& model, const TaskSettings& settings,
                  Parameters& list) {
  const auto options = at::TensorOptions().dtype(settings.dtype).device(settings.device);
  const std::string weight = name + ".weight", bias = name + ".bias";
  const Linear made{
      normal_parameter(weight, {outputs, model.width()}, model.initializer_range(), settings.seed, options),
      constant_parameter({outputs}, 0.0, options)};
  list.push_back({.name = weight, .value = made.weight, .stage = model.head_stage(), .decays = true});
  list.push_back({.name = bias, .value = made.bias, .stage = model.head_stage(), .decays = false});
  return made;
}

}  // namespace sft
