// The graph of a Keras model as its config says it, in the words of Keras 2 and of Keras 3.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sft::keras {

struct Graph;

// Of what a layer reads: the place of another layer in Graph::layers, or the graph's own input.
inline constexpr int kInput = -1;

struct GraphLayer {
  std::string name;  // unique in its graph
  std::string kind;  // class_name: "Conv2D"
  nlohmann::json config;
  std::vector<int> inputs = {};
  bool evaluates = false;  // called with training=False: its norms and dropouts are those of evaluation
  std::shared_ptr<const Graph> nested = nullptr;  // of a whole model in the place of a layer; null: a layer

  // "layer 'conv1' (Conv2D)": how an error begins.
  std::string title() const;
};

// Layers in the order of model.layers, each behind all that it reads, the last one giving the output; the input layer
// is left out, which Keras counts in functional models and not in sequential ones.
struct Graph {
  std::string name;
  bool is_sequential = false;
  std::string input_name;
  std::vector<int64_t> input_shape;  // of a sample: height, width, channels; −1: any
  std::vector<GraphLayer> layers;
};

// `config`: {"class_name": "Sequential" | "Functional" | "Model", "config": …}, model_config of a file. DataError
// naming the layer where a graph is no graph: an unknown or missing layer, a cycle, a layer that is called twice or
// that nobody reads, several inputs or outputs, more than 10,000 layers, models nested deeper than 16.
Graph read_graph(const nlohmann::json& config);

bool is_model(const std::string& class_name);

}  // namespace sft::keras
