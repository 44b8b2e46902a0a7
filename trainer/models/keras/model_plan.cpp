#include "trainer/models/keras/model_plan.h"

#include <cctype>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/keras/architectures.h"

namespace sft::keras {
namespace {

using nlohmann::json;

int major_version(const json& content) {
  const json version = content.value("keras_version", json("3"));
  const std::string text = version.is_string() ? version.get<std::string>() : version.dump();
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front())) == 0 || text.front() < '2')
    throw ConfigError(concat("keras_version ", in_quotes(text), ": models of Keras 2 and 3 are read"));
  return text.front() == '2' ? 2 : 3;
}

OutputLayer output_layer(const json& content) {
  const json said = content.value("output_layer", json("pretrained"));
  if (said == "pretrained") return OutputLayer::pretrained;
  if (said == "new") return OutputLayer::anew;
  throw ConfigError(concat("model.config: output_layer must be \"pretrained\" or \"new\", found ", said.dump()));
}

// ConfigError where the content says no layers.
Graph graph_of(const json& content) {
  if (content.contains("architecture")) return read_graph(named_architecture(content));
  if (!content.contains("keras_config"))
    throw ConfigError(
        "this file holds weights alone, and says no layers: model.config = { architecture = \"VGG16\" } names them, or "
        "a "
        "config.json beside it, of model.to_json()");
  return read_graph(content["keras_config"]);
}

// A new Dense reads rows.
void average_pictures(ModelPlan& plan) {
  Graph& graph = *plan.graph;
  const int last = static_cast<int>(graph.layers.size()) - 1;
  graph.layers.push_back({.name = plan.output.dense + "_pooling",
                          .kind = "GlobalAveragePooling2D",
                          .config = {{"name", plan.output.dense + "_pooling"}},
                          .inputs = {last}});
}

}  // namespace

int64_t ModelPlan::width() const { return network->shape(static_cast<int>(network->size()) - 1).back(); }

ModelPlan plan_model(json& content, uint64_t dropout_seed) {
  ModelPlan plan;
  plan.keras = major_version(content);
  plan.graph = std::make_unique<Graph>(graph_of(content));
  Graph& graph = *plan.graph;
  plan.preprocessing = read_preprocessing(content, graph);
  const Shape input = graph.input_shape;
  if (input.size() != 3 || (input[2] != 3 && input[2] != 1))
    throw ConfigError(concat("the Keras model's input is ", text_of(input),
                             " a sample; pictures are [height, width, 3] or [height, width, 1]"));
  if (input[0] > 0 && input[0] == input[1]) content["image_size"] = input[0];
  plan.output = take_output(graph, output_layer(content));
  const auto build = [&] { plan.network = std::make_unique<Network>(graph, input, plan.keras, "", dropout_seed); };
  build();
  const auto shape = [&] { return plan.network->shape(static_cast<int>(graph.layers.size()) - 1); };
  if (shape().size() != 1 && plan.output.is_new) {
    average_pictures(plan);
    build();
  }
  if (shape().size() != 1 || shape().back() < 1)
    throw ConfigError(concat(graph.layers.back().title(), ": gives ", text_of(shape()),
                             " to the output layer, which takes a row of numbers; "
                             "model.config = { output_layer = \"new\" } averages over the sides first"));
  return plan;
}

WholeModel whole_model(const json& content) {
  WholeModel whole;
  whole.graph = std::make_unique<Graph>(graph_of(content));
  whole.network = std::make_unique<Network>(*whole.graph, whole.graph->input_shape, major_version(content), "", 0);
  return whole;
}

}  // namespace sft::keras
