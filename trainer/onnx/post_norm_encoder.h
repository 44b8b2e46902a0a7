// The networks that are TextEncoders with plain attention: BERT, DistilBERT, RoBERTa, XLM-RoBERTa, CamemBERT, ELECTRA,
// ALBERT.
#pragma once

#include "trainer/onnx/text_input.h"

namespace sft::onnx {

// `model`: a TextEncoder.
Encoded post_norm_encoder(Graph& graph, const Model& model, const TextInput& input);

}  // namespace sft::onnx
