// A graph as the config of a Keras model, in Keras 2's words, which Keras 3 reads too.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "trainer/models/keras/output.h"

namespace sft::keras {

// {"class_name": …, "config": …} of the graph with its output layer: a Dense of so many classes and a softmax, or the
// softmax of the logits that the graph gives. Settings that start or punish weights are left out.
nlohmann::json describe(const Graph& graph, const Output& output, int64_t classes);

// Sets the number of classes of what describe() gave.
void set_classes(nlohmann::json& model, int64_t classes);

}  // namespace sft::keras
