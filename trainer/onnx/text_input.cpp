#include "trainer/onnx/text_input.h"

namespace sft::onnx {

TextInput text_input(Graph& graph, const TextLimits& limits) {
  const Axes axes{"batch_size", "sequence_length"};
  TextInput input;
  input.ids_BS = graph.input("input_ids", Element::int64, axes);
  const Value mask = graph.input("attention_mask", Element::int64, axes);
  if (limits.num_segments > 1) input.segments_BS = graph.input("token_type_ids", Element::int64, axes);
  input.mask_BS = graph.node("Cast", "mask", {mask}, {to(Element::float32)});
  return input;
}

}  // namespace sft::onnx
