// The end of a Keras model: its output layer becomes a task's head, what stands before it the backbone.
#pragma once

#include <string>

#include "trainer/models/keras/graph.h"

namespace sft::keras {

enum class OutputLayer {
  pretrained,  // the model's own Dense is the head; of a model that ends otherwise its own logits are
  anew,        // the last layer with weights and the softmax behind it go, and a Dense of new weights comes
};

struct Output {
  std::string dense;  // name of the Dense that is the head; "": none, the graph gives logits
  bool has_bias = true;
  bool is_new = false;  // no weight file has it
  int64_t classes = 0;  // of the model's own output layer; 0: not known
};

// Takes the output layer and the softmax from the graph. A model without them, as keras.applications have with
// include_top=False, gets a new Dense on top. What gives a picture to a new Dense is averaged over its sides first.
// ConfigError where the end is of another form: it tells which.
Output take_output(Graph& graph, OutputLayer wanted);

}  // namespace sft::keras
