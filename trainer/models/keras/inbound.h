// What a layer of a functional model was called on.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sft::keras {

struct Call {
  std::vector<std::string> inputs;  // names of layers, in order
  bool evaluates = false;           // training=False
};

// `nodes`: "inbound_nodes" of a layer, [[["in", 0, 0, {}]]] in Keras 2 and [{"args": […], "kwargs": {…}}] in Keras 3;
// one call each. DataError that begins with `title` where it is neither.
std::vector<Call> read_calls(const nlohmann::json& nodes, const std::string& title);

// "input_layers" or "output_layers" of a model: names. Keras 3 writes a single one without a list around it.
std::vector<std::string> read_ends(const nlohmann::json& ends, const std::string& title);

}  // namespace sft::keras
