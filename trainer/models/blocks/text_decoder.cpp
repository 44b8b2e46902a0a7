#include "trainer/models/blocks/text_decoder.h"

#include <utility>

#include "base/errors.h"
#include "base/text.h"

namespace sft {

TextDecoder::TextDecoder(nlohmann::json content, DecoderFacts facts, const ModelSettings& settings)
    : TextNetwork(std::move(content), settings), facts_(std::move(facts)) {}

at::Tensor TextDecoder::stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) {
  const TextInputs& text = text_of(inputs);
  if (s == 0) return embedding(text, mode).to(flow_type());
  const bool reads_few = s == num_blocks() && text.read;
  return block(s, x, {.inputs = text, .read = reads_few ? &*text.read : nullptr}, mode);
}

// Classes that call the backbone by another prefix ("transformer.") are not built.
std::string TextDecoder::architecture(const std::string& class_ending) const {
  if (class_ending == "ForCausalLM") return facts_.language_model;
  for (const char* known : {"ForSequenceClassification", "ForTokenClassification"})
    if (class_ending == known) return facts_.architecture + class_ending;
  throw ConfigError(concat("model_type ", config()["model_type"].get<std::string>(),
                           " is not built as a transformers class that ends in ", class_ending));
}

std::string TextDecoder::canonical(const std::string& file_name) const {
  if (is_leftover(file_name) || (facts_.is_tied && file_name == "lm_head.weight")) return "";
  return is_base_name(file_name) ? facts_.prefix + file_name : file_name;
}

}  // namespace sft
