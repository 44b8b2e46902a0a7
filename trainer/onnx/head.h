// A task's head on what it reads of the features.
#pragma once

#include "trainer/onnx/text_input.h"
#include "trainer/tasks/head_facts.h"

namespace sft::onnx {

// What a head reads of an encoder of texts: of each row one vector, [B, C], or each token's, [B, S, C].
Value read_of_texts(Graph& graph, const HeadFacts& head, const TextInput& input, const Encoded& encoded);

// The layers on it, and the task's outputs: of samples [B, K], of tokens [B, S, K]; where there are several, one number
// each, [B] and [B, S].
void add_head(Graph& graph, const HeadFacts& head, const Value& read);

}  // namespace sft::onnx
