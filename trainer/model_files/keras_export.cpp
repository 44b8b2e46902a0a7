#include "trainer/model_files/keras_export.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/errors.h"
#include "base/mapped_file.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/hdf5/tree_file.h"
#include "trainer/models/keras/describe.h"
#include "trainer/models/keras/model_plan.h"

namespace sft {
namespace {

using nlohmann::json;

constexpr char kWeights[] = "model_weights";

// The value of one tensor at a time, as float32 in host memory.
class Values {
 public:
  explicit Values(const ExportedTensors& tensors) {
    for (const ExportedTensor& tensor : tensors) by_name_[tensor.name] = &tensor;
  }

  const ExportedTensor& named(const std::string& name) const {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) throw Error(ExitCode::internal, concat("no tensor ", in_quotes(name), " to export"));
    return *found->second;
  }
  bool has(const std::string& name) const { return by_name_.contains(name); }
  // One of no dimension, or a list.
  json numbers(const std::string& name) {
    const float* first = of(name);
    if (named(name).shape.empty()) return *first;
    return std::vector<float>(first, first + now_.numel());
  }
  const float* of(const std::string& name) {
    beat();
    now_ = named(name).value().detach().cpu().to(at::kFloat).contiguous();
    require_mapped_files_whole();
    return now_.const_data_ptr<float>();
  }

 private:
  std::map<std::string, const ExportedTensor*> by_name_;
  at::Tensor now_;
};

// Keras reads a nested model's weights as those that train, then the others.
std::vector<keras::PlacedVariable> in_order_of_keras(std::vector<keras::PlacedVariable> variables) {
  std::ranges::stable_sort(variables, [](const auto& a, const auto& b) {
    return std::pair(a.layer, !a.variable.trains) < std::pair(b.layer, !b.variable.trains);
  });
  return variables;
}

// "conv1/kernel" → "conv1/kernel:0", "mobilenet/conv1/kernel" → "conv1/kernel:0" in the group "mobilenet".
std::string name_in_group(const std::string& name) {
  const size_t last = name.rfind('/'), before = name.rfind('/', last - 1);
  return (before == std::string::npos ? name : name.substr(before + 1)) + ":0";
}

// An adapted Normalization: its numbers go into its config, since Keras 3 wants another number of weights than Keras 2.
void write_normalizations(json& model, const std::string& path, Values& values) {
  for (json& layer : model["config"]["layers"]) {
    json& config = layer["config"];
    const std::string name = path + config.value("name", "");
    if (config.contains("layers")) write_normalizations(layer, name + "/", values);
    if (layer["class_name"] != "Normalization" || !values.has(name + "/mean")) continue;
    for (const char* key : {"mean", "variance"}) config[key] = values.numbers(concat(name, "/", key));
  }
}

}  // namespace

bool is_keras_model(const json& config) { return config.contains("keras_config"); }

void set_keras_classes(json& config, int64_t classes) {
  config.erase("num_labels");  // id2label says it
  keras::set_classes(config["keras_config"], classes);
}

std::string keras_hdf5(const json& config, const ExportedTensors& tensors) {
  Values values(tensors);
  json content = config;
  const json& layers = content["keras_config"]["config"]["layers"];
  const std::string output = layers.back()["config"].value("name", "");
  if (layers.back()["class_name"] == "Dense") set_keras_classes(content, values.named(output + "/kernel").shape.back());
  write_normalizations(content["keras_config"], "", values);
  const keras::WholeModel whole = keras::whole_model(content);
  const std::string version = content.value("keras_version", "2.15.0");

  std::vector<hdf5::PlannedGroup> groups(2);
  groups[0].texts = {
      {"keras_version", version}, {"backend", "tensorflow"}, {"model_config", content["keras_config"].dump()}};
  groups[1] = {.path = kWeights, .texts = {{"keras_version", version}, {"backend", "tensorflow"}}};
  hdf5::PlannedTexts names{"layer_names", {}};
  if (!whole.graph->is_sequential) {
    names.values.push_back(whole.graph->input_name);
    groups.push_back({.path = concat(kWeights, "/", whole.graph->input_name), .lists = {{"weight_names", {}}}});
  }
  const size_t first = groups.size();
  for (const keras::GraphLayer& layer : whole.graph->layers) {
    names.values.push_back(layer.name);
    groups.push_back({.path = concat(kWeights, "/", layer.name), .lists = {{"weight_names", {}}}});
  }
  groups[1].lists = {names};
  for (const keras::PlacedVariable& placed : in_order_of_keras(whole.network->variables())) {
    hdf5::PlannedGroup& group = groups[first + static_cast<size_t>(placed.layer)];
    const std::string name = name_in_group(placed.name);
    group.lists.front().values.push_back(name);
    group.arrays.push_back(
        {name, values.named(placed.name).shape, [&values, own = placed.name] { return values.of(own); }});
  }
  return hdf5::tree_file(groups);
}

}  // namespace sft
