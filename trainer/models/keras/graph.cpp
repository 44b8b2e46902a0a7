#include "trainer/models/keras/graph.h"

#include <algorithm>
#include <map>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/keras/inbound.h"

namespace sft::keras {
namespace {

using nlohmann::json;

constexpr size_t kMostLayers = 10'000;
constexpr int kMostDepth = 16;

const json& member_of(const json& object, const char* key, json::value_t type, const std::string& title) {
  static const json empty;
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end() || found->type() != type)
    throw DataError(concat(title, ": the model's config has no ", json(type).type_name(), " ", in_quotes(key),
                           " there; it is not one that Keras 2 or 3 has written"));
  return *found;
}

std::string string_member(const json& object, const char* key, const std::string& title) {
  return member_of(object, key, json::value_t::string, title).get<std::string>();
}

// "batch_shape" of Keras 3, "batch_input_shape" of Keras 2: [null, height, width, channels].
bool read_input_shape(const json& config, std::vector<int64_t>& shape, const std::string& title) {
  for (const char* key : {"batch_shape", "batch_input_shape"}) {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) continue;
    const bool is_list = found->is_array() && found->size() >= 2 && found->size() <= 4;
    shape.clear();
    for (size_t d = 1; is_list && d < found->size(); ++d) {
      const json& side = (*found)[d];
      if (!side.is_null() && !(side.is_number_integer() && side >= 1 && side <= (1 << 20))) break;
      shape.push_back(side.is_null() ? -1 : side.get<int64_t>());
    }
    if (!is_list || shape.size() + 1 != found->size())
      throw DataError(concat(title, ": ", key, " is ", in_quotes(found->dump()),
                             "; wanted: [null, height, width, channels], sides of at most 1,048,576"));
    return true;
  }
  return false;
}

class Reader {
 public:
  Graph model(const json& described, const std::string& title, int depth) {
    if (depth > kMostDepth) throw DataError(concat(title, ": models are nested deeper than ", kMostDepth));
    const std::string kind = string_member(described, "class_name", title);
    if (!is_model(kind))
      throw DataError(concat(title, ": the model is of the class ", in_quotes(kind),
                             ", and only Sequential and functional models say their layers in their config; rebuild it "
                             "as one of these in Keras and save it again"));
    Graph graph;
    graph.is_sequential = kind == "Sequential";
    json config = described.value("config", json());
    // Keras before 2.2.3 wrote the layers of a Sequential without anything around them.
    if (graph.is_sequential && config.is_array()) config = {{"name", "sequential"}, {"layers", config}};
    graph.name = config.is_object() ? config.value("name", json("model")).dump() : "";
    if (config.is_object() && config.contains("name") && config["name"].is_string())
      graph.name = config["name"].get<std::string>();
    const json& layers = member_of(config, "layers", json::value_t::array, title);
    num_layers_ += layers.size();
    if (num_layers_ > kMostLayers) throw DataError(concat(title, ": more than ", kMostLayers, " layers"));
    graph.is_sequential ? sequential(layers, graph, described, title, depth)
                        : functional(config, layers, graph, title, depth);
    if (graph.layers.empty()) throw DataError(concat(title, ": the model has no layers"));
    return graph;
  }

 private:
  GraphLayer layer(const json& described, const std::string& title, int depth) {
    GraphLayer made;
    made.kind = string_member(described, "class_name", title);
    made.config = member_of(described, "config", json::value_t::object, title);
    const json& named = described.contains("name") && described["name"].is_string() ? described : made.config;
    made.name = string_member(named, "name", title);
    if (made.name.empty() || made.name.find('\0') != std::string::npos)
      throw DataError(concat(title, ": a layer of the kind ", in_quotes(made.kind), " has no name"));
    if (is_model(made.kind))
      made.nested = std::make_shared<const Graph>(model(described, concat("model ", in_quotes(made.name)), depth + 1));
    return made;
  }

  void sequential(const json& layers, Graph& graph, const json& described, const std::string& title, int depth) {
    std::map<std::string, int> seen;
    bool has_shape = false;
    for (const json& one : layers) {
      GraphLayer made = layer(one, title, depth);
      if (!seen.emplace(made.name, 0).second)
        throw DataError(concat(title, ": two layers are called ", in_quotes(made.name)));
      if (graph.layers.empty() && !has_shape) {
        has_shape = read_input_shape(made.config, graph.input_shape, made.title());
        if (!has_shape && made.nested) {
          graph.input_shape = made.nested->input_shape;
          has_shape = true;
        }
        if (made.kind == "InputLayer") {
          graph.input_name = made.name;
          continue;
        }
      }
      made.inputs = {graph.layers.empty() ? kInput : static_cast<int>(graph.layers.size()) - 1};
      graph.layers.push_back(std::move(made));
    }
    if (has_shape) return;
    const json built = described.value("build_config", json::object());
    if (built.is_object() && built.contains("input_shape"))
      has_shape = read_input_shape({{"batch_shape", built["input_shape"]}}, graph.input_shape, title);
    if (!has_shape)
      throw DataError(concat(title,
                             ": the model does not say the shape of its input; build it in Keras "
                             "(model.build) and save it again"));
  }

  void functional(const json& config, const json& layers, Graph& graph, const std::string& title, int depth) {
    const std::vector<std::string> inputs = ends(config, "input_layers", title);
    const std::vector<std::string> outputs = ends(config, "output_layers", title);
    graph.input_name = inputs.front();
    std::map<std::string, int> places;
    std::vector<bool> is_read;
    for (const json& one : layers) {
      GraphLayer made = layer(one, title, depth);
      if (places.contains(made.name)) throw DataError(concat(title, ": two layers are called ", in_quotes(made.name)));
      if (made.kind == "InputLayer") {
        if (made.name != graph.input_name)
          throw DataError(concat(made.title(), ": the model has several inputs, and pictures are one"));
        if (!read_input_shape(made.config, graph.input_shape, made.title()))
          throw DataError(concat(made.title(), ": says no shape"));
        places[made.name] = kInput;
        continue;
      }
      connect(made, one, places, layers, is_read);
      places[made.name] = static_cast<int>(graph.layers.size());
      is_read.push_back(false);
      graph.layers.push_back(std::move(made));
    }
    if (!places.contains(graph.input_name))
      throw DataError(concat(title, ": its input layer ", in_quotes(graph.input_name), " is missing"));
    for (size_t i = 0; i + 1 < graph.layers.size(); ++i)
      if (!is_read[i])
        throw DataError(concat(graph.layers[i].title(), ": nobody reads what it gives, and the model's output is ",
                               in_quotes(outputs.front())));
    if (!graph.layers.empty() && graph.layers.back().name != outputs.front())
      throw DataError(
          concat(title, ": its output layer ", in_quotes(outputs.front()), " is not the last of its layers"));
  }

  static std::vector<std::string> ends(const json& config, const char* key, const std::string& title) {
    const std::vector<std::string> names = read_ends(config.value(key, json()), concat(title, ", ", key));
    if (names.size() != 1)
      throw DataError(concat(title, ": ", key, " names ", names.size(),
                             " layers; only models with one input and one output are built"));
    return names;
  }

  // `is_read[i]`: whether somebody reads layer i.
  static void connect(GraphLayer& made, const json& described, const std::map<std::string, int>& places,
                      const json& layers, std::vector<bool>& is_read) {
    const std::vector<Call> calls = read_calls(described.value("inbound_nodes", json()), made.title());
    if (calls.size() != 1)
      throw DataError(concat(made.title(), calls.empty() ? ": is called on nothing"
                                                         : ": is called more than once; shared layers are not built"));
    made.evaluates = calls.front().evaluates;
    if (calls.front().inputs.empty()) throw DataError(concat(made.title(), ": is called on nothing"));
    for (const std::string& name : calls.front().inputs) {
      const auto found = places.find(name);
      if (found == places.end()) {
        const bool is_there = std::ranges::any_of(
            layers, [&](const json& one) { return one.is_object() && one.value("name", json()) == json(name); });
        throw DataError(concat(made.title(), ": reads the layer ", in_quotes(name),
                               is_there ? ", which stands behind it: the layers form a cycle or are out of order"
                                        : ", which the model does not have"));
      }
      made.inputs.push_back(found->second);
      if (found->second >= 0) is_read[static_cast<size_t>(found->second)] = true;
    }
  }

  size_t num_layers_ = 0;
};

}  // namespace

std::string GraphLayer::title() const { return concat("layer ", in_quotes(name), " (", escaped(kind), ")"); }

bool is_model(const std::string& class_name) {
  return class_name == "Sequential" || class_name == "Functional" || class_name == "Model";
}

Graph read_graph(const json& config) { return Reader().model(config, "the Keras model", 0); }

}  // namespace sft::keras
