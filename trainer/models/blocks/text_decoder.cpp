#include "trainer/models/blocks/text_decoder.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/blocks/matrix_product.h"

namespace sft {

// On a device all that flows is of the narrow type, on a CPU the products alone.
TextDecoder::TextDecoder(nlohmann::json content, DecoderFacts facts, const ModelSettings& settings)
    : content_(std::move(content)),
      facts_(std::move(facts)),
      options_(settings.options()),
      compute_type_(settings.compute_type),
      flow_type_(settings.compute_type && !options_.device().is_cpu() ? *settings.compute_type : settings.dtype),
      seed_(settings.seed),
      dropout_seed_(settings.dropout_seed) {
  keep_few_products();
}

at::Tensor TextDecoder::stage(int s, const at::Tensor& x, const Inputs& inputs, Mode mode) {
  const TextInputs& text = text_of(inputs);
  if (s == 0) return embedding(text, mode).to(flow_type_);
  const bool reads_few = s == num_blocks() && text.read;
  return block(s, x, {.inputs = text, .read = reads_few ? &*text.read : nullptr}, mode);
}

at::Tensor TextDecoder::features(const at::Tensor& x) const { return x.to(at::typeMetaToScalarType(options_.dtype())); }

at::Tensor TextDecoder::pool(const at::Tensor&, const RowKeys&) {
  throw std::logic_error(facts_.prefix + " has no pooler");
}

ParameterBuilder TextDecoder::builder() {
  return {parameters_, facts_.prefix, options_, facts_.initializer_range, seed_};
}

void TextDecoder::add_layer(Linear& layer) {
  layers_.push_back(&layer);
  if (compute_type_) narrow_.add(layer, *compute_type_);
}

std::vector<NamedLinear> TextDecoder::linears() {
  constexpr std::string_view kWeight = ".weight";
  std::vector<NamedLinear> all;
  for (Linear* layer : layers_) {
    const auto of = std::ranges::find_if(
        parameters_, [&](const Parameter& parameter) { return parameter.value.is_same(layer->weight); });
    all.push_back({.name = of->name.substr(0, of->name.size() - kWeight.size()),
                   .layer = layer,
                   .stage = of->stage,
                   .fan_in_fan_out = of->is_transposed_in_files});
  }
  return all;
}

Dropout TextDecoder::dropout(Mode mode, int stage, const char* place, double p) const {
  return {dropout_key(dropout_seed_, place, stage), mode == Mode::training ? p : 0.0};
}

// Their class for question answering calls the backbone by another prefix ("transformer."), and is not built.
std::string TextDecoder::architecture(const std::string& class_ending) const {
  if (class_ending == "ForCausalLM") return facts_.language_model;
  for (const char* known : {"ForSequenceClassification", "ForTokenClassification"})
    if (class_ending == known) return facts_.architecture + class_ending;
  throw ConfigError(concat("model_type ", content_["model_type"].get<std::string>(),
                           " is not built as a transformers class that ends in ", class_ending));
}

std::string TextDecoder::canonical(const std::string& file_name) const {
  if (is_leftover(file_name) || (facts_.is_tied && file_name == "lm_head.weight")) return "";
  return is_base_name(file_name) ? facts_.prefix + file_name : file_name;
}

}  // namespace sft
