#include "trainer/models/blocks/text_network.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "trainer/models/blocks/matrix_product.h"

namespace sft {

// On a device all that flows is of the narrow type, on a CPU the products alone.
TextNetwork::TextNetwork(nlohmann::json content, const ModelSettings& settings)
    : content_(std::move(content)),
      options_(settings.options()),
      compute_type_(settings.compute_type),
      flow_type_(settings.compute_type && !options_.device().is_cpu() ? *settings.compute_type : settings.dtype),
      seed_(settings.seed),
      dropout_seed_(settings.dropout_seed) {
  keep_few_products();
}

at::Tensor TextNetwork::features(const at::Tensor& x) const { return x.to(at::typeMetaToScalarType(options_.dtype())); }

at::Tensor TextNetwork::pool(const at::Tensor&, const RowKeys&) {
  throw std::logic_error(content_.value("model_type", "this model") + " has no pooler");
}

ParameterBuilder TextNetwork::builder(const std::string& prefix, double deviation) {
  return {parameters_, prefix, options_, deviation, seed_};
}

void TextNetwork::add_layer(Linear& layer) {
  layers_.push_back(&layer);
  add_matrix(layer);
}

void TextNetwork::add_matrix(Linear& layer) {
  if (compute_type_) narrow_.add(layer, *compute_type_);
}

std::vector<NamedLinear> TextNetwork::linears() {
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

Dropout TextNetwork::dropout(Mode mode, int stage, const char* place, double p) const {
  return {dropout_key(dropout_seed_, place, stage), mode == Mode::training ? p : 0.0};
}

}  // namespace sft
