#include "trainer/models/keras/describe.h"

#include <map>
#include <set>
#include <vector>

namespace sft::keras {
namespace {

using nlohmann::json;

// What this program reads of a layer, by its kind, is what it writes.
const std::map<std::string, std::set<std::string>>& keys_of_kinds() {
  static const std::set<std::string> windows = {"strides", "padding", "data_format"};
  static const auto with = [](std::set<std::string> keys, const std::set<std::string>& more) {
    keys.insert(more.begin(), more.end());
    return keys;
  };
  static const std::set<std::string> convolution =
      with({"kernel_size", "dilation_rate", "activation", "use_bias"}, windows);
  static const std::map<std::string, std::set<std::string>> all = {
      {"Activation", {"activation"}},
      {"AveragePooling2D", with({"pool_size"}, windows)},
      {"BatchNormalization", {"axis", "momentum", "epsilon", "center", "scale"}},
      {"Concatenate", {"axis"}},
      {"Conv2D", with({"filters", "groups"}, convolution)},
      {"Dense", {"units", "activation", "use_bias"}},
      {"DepthwiseConv2D", with({"depth_multiplier"}, convolution)},
      {"Dropout", {"rate", "noise_shape", "seed"}},
      {"ELU", {"alpha"}},
      {"Flatten", {"data_format"}},
      {"GlobalAveragePooling2D", {"data_format", "keepdims"}},
      {"GlobalMaxPooling2D", {"data_format", "keepdims"}},
      {"LeakyReLU", {"alpha"}},
      {"MaxPooling2D", with({"pool_size"}, windows)},
      {"Normalization", {"axis", "mean", "variance"}},
      {"ReLU", {"max_value", "negative_slope", "threshold"}},
      {"Rescaling", {"scale", "offset"}},
      {"Reshape", {"target_shape"}},
      {"SeparableConv2D", with({"filters", "depth_multiplier"}, convolution)},
      {"Softmax", {"axis"}},
      {"SpatialDropout2D", {"rate"}},
      {"ZeroPadding2D", {"padding", "data_format"}},
  };
  return all;
}

// Keras 2 has one name for it.
json activation_of_keras_2(const json& activation) {
  const json name = activation.is_object() ? activation.value("config", json("linear")) : activation;
  return name == "silu" ? json("swish") : name;
}

json config_of(const GraphLayer& layer) {
  json config = {// trainable: else Keras would look for weights in another order
                 {"name", layer.name},
                 {"trainable", true},
                 {"dtype", "float32"}};
  const auto keys = keys_of_kinds().find(layer.kind);
  if (keys == keys_of_kinds().end()) return config;
  for (const std::string& key : keys->second)
    if (layer.config.contains(key)) config[key] = layer.config[key];
  if (config.contains("activation")) config["activation"] = activation_of_keras_2(config["activation"]);
  if (layer.kind == "LeakyReLU" && layer.config.contains("negative_slope"))
    config["alpha"] = layer.config["negative_slope"];
  return config;
}

json references(const Graph& graph, const GraphLayer& layer) {
  const json keywords = layer.evaluates ? json{{"training", false}} : json::object();
  json node = json::array();
  for (const int from : layer.inputs) {
    const std::string& name = from == kInput ? graph.input_name : graph.layers[static_cast<size_t>(from)].name;
    node.push_back({name, 0, 0, keywords});
  }
  return json::array({node});
}

std::string input_name_of(const Graph& graph) {
  return graph.input_name.empty() ? graph.name + "_input" : graph.input_name;
}

json model_of(const Graph& graph);

json layer_of(const Graph& graph, const GraphLayer& layer) {
  json described =
      layer.nested ? model_of(*layer.nested) : json{{"class_name", layer.kind}, {"config", config_of(layer)}};
  if (layer.nested) described["config"]["name"] = layer.name;
  if (graph.is_sequential) return described;
  described["name"] = layer.name;
  described["inbound_nodes"] = references(graph, layer);
  return described;
}

json model_of(const Graph& graph) {
  json shape = json::array({nullptr});
  for (const int64_t side : graph.input_shape) shape.push_back(side < 0 ? json() : json(side));
  const std::string input = input_name_of(graph);
  json first = {{"class_name", "InputLayer"},
                {"config", {{"batch_input_shape", shape}, {"dtype", "float32"}, {"name", input}}}};
  if (!graph.is_sequential) first["name"] = input, first["inbound_nodes"] = json::array();
  json layers = json::array({first});
  for (const GraphLayer& layer : graph.layers) layers.push_back(layer_of(graph, layer));
  json config = {{"name", graph.name}, {"layers", layers}};
  if (!graph.is_sequential) {
    config["input_layers"] = json::array({json::array({input, 0, 0})});
    config["output_layers"] = json::array({json::array({graph.layers.back().name, 0, 0})});
  }
  return {{"class_name", graph.is_sequential ? "Sequential" : "Functional"}, {"config", config}};
}

}  // namespace

json describe(const Graph& graph, const Output& output, int64_t classes) {
  Graph whole = graph;
  whole.input_name = input_name_of(graph);
  const int last = static_cast<int>(graph.layers.size()) - 1;
  if (output.dense.empty())
    whole.layers.push_back(
        {.name = "predictions_softmax", .kind = "Activation", .config = {{"activation", "softmax"}}, .inputs = {last}});
  else
    whole.layers.push_back({.name = output.dense,
                            .kind = "Dense",
                            .config = {{"units", classes}, {"activation", "softmax"}, {"use_bias", output.has_bias}},
                            .inputs = {last}});
  return model_of(whole);
}

void set_classes(json& model, int64_t classes) {
  json& last = model["config"]["layers"].back();
  if (last["class_name"] == "Dense") last["config"]["units"] = classes;
}

}  // namespace sft::keras
