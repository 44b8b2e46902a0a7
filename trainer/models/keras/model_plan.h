// A Keras model worked out from config.json's content, before any memory is taken.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "trainer/models/keras/network.h"
#include "trainer/models/keras/output.h"
#include "trainer/models/keras/preprocessing.h"

namespace sft::keras {

struct ModelPlan {
  int keras = 3;                 // the major version
  std::unique_ptr<Graph> graph;  // without the output layer
  Output output;
  Preprocessing preprocessing;
  std::unique_ptr<Network> network;

  int64_t width() const;  // of what the graph gives
};

// `content`: "keras_version"; "keras_config", the model as its file says it, or "architecture", its name;
// "output_layer", "pretrained" or "new"; and what preprocessing.h reads. Keeps in `content` what was found out. Errors
// name the layer.
ModelPlan plan_model(nlohmann::json& content, uint64_t dropout_seed = 0);

// The model as its file says it, its own output layer included.
struct WholeModel {
  std::unique_ptr<Graph> graph;
  std::unique_ptr<Network> network;
};
WholeModel whole_model(const nlohmann::json& content);

}  // namespace sft::keras
