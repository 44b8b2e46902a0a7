// What a graph of an encoder of texts is given: B rows of S tokens, of any number and length, padded.
#pragma once

#include <string>

#include "trainer/models/model.h"
#include "trainer/onnx/graph.h"

namespace sft::onnx {

struct TextInput {
  Value ids_BS;
  Value mask_BS;      // float32: 1 at a token, 0 at padding
  Value segments_BS;  // "" where the model has one kind of token, or none
};

// What a family's nodes make of it.
struct Encoded {
  Value rows_BSC;           // the features of each token
  std::string pooler = "";  // the pooler's layer in the model's files; "": the model has none
};

// Declares them under transformers' names.
TextInput text_input(Graph& graph, const TextLimits& limits);

}  // namespace sft::onnx
