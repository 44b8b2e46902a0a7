#include "trainer/models/keras/output.h"

#include <algorithm>
#include <set>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/keras/activations.h"

namespace sft::keras {
namespace {

using nlohmann::json;

const std::set<std::string> kWithWeights = {"BatchNormalization", "Conv2D", "Dense", "DepthwiseConv2D",
                                            "SeparableConv2D"};
const std::set<std::string> kPointwise = {"Activation", "Softmax", "Dropout"};

constexpr char kCure[] = "; model.config = { output_layer = \"new\" } puts a new one in its place";

bool has_weights(const GraphLayer& layer) {
  if (layer.nested) return std::ranges::any_of(layer.nested->layers, has_weights);
  return kWithWeights.contains(layer.kind);
}

json activation_of(const GraphLayer& layer) { return layer.config.value("activation", json()); }

bool is_linear(const json& activation) { return activation_name(activation) == "linear"; }
bool is_softmax(const json& activation) { return activation_name(activation) == "softmax"; }

// Softmax over classes, in a layer of its own.
bool is_softmax_layer(const GraphLayer& layer) {
  return layer.kind == "Softmax" || (layer.kind == "Activation" && is_softmax(activation_of(layer)));
}

class End {
 public:
  explicit End(Graph& graph) : layers_(graph.layers) {
    const auto last = std::find_if(layers_.rbegin(), layers_.rend(), has_weights);
    at_ = static_cast<size_t>(layers_.rend() - last) - 1;  // npos where no layer has weights
    has_weights_ = last != layers_.rend();
    if (!has_weights_) return;
    for (size_t i = at_ + 1; i < layers_.size(); ++i)
      is_chain_ = is_chain_ && layers_[i].inputs == std::vector<int>{static_cast<int>(i) - 1};
  }

  Output take(OutputLayer wanted) {
    if (!has_weights_) throw ConfigError("the Keras model has no layer with weights: there is nothing to start from");
    const GraphLayer& layer = layers_[at_];
    const bool is_dense = layer.kind == "Dense" && only_pointwise_behind();
    if (!is_dense && !ends_in_softmax()) return add_dense();
    if (!is_chain_ || layer.inputs.size() != 1 || at_ == 0 || layer.nested)
      throw ConfigError(concat(layer.title(), ": is the last layer with weights, and the model is not cut there: ",
                               layer.nested ? "save the model that is nested there by itself"
                               : at_ == 0   ? "it is the only layer"
                                            : "what follows reads more than it"));
    if (wanted == OutputLayer::anew) return replace();
    return is_dense ? take_dense() : take_softmax();
  }

 private:
  bool only_pointwise_behind() const {
    return std::all_of(layers_.begin() + static_cast<std::ptrdiff_t>(at_) + 1, layers_.end(),
                       [](const GraphLayer& layer) { return kPointwise.contains(layer.kind); });
  }

  bool ends_in_softmax() const {
    const GraphLayer* last = &layers_.back();
    while (last->nested) last = &last->nested->layers.back();
    return is_softmax_layer(*last) || (has_weights(*last) && is_softmax(activation_of(*last)));
  }

  static int64_t classes_of(const GraphLayer& layer) {
    for (const char* key : {"units", "filters"})
      if (layer.config.contains(key) && layer.config[key].is_number_integer()) return layer.config[key].get<int64_t>();
    return 0;
  }

  Output take_dense() {
    const GraphLayer layer = layers_[at_];
    bool is_classifier = is_linear(activation_of(layer)) || is_softmax(activation_of(layer));
    for (size_t i = at_ + 1; i < layers_.size(); ++i)
      is_classifier = is_classifier && (layers_[i].kind == "Dropout" || is_softmax_layer(layers_[i]) ||
                                        is_linear(activation_of(layers_[i])));
    if (!is_classifier)
      throw ConfigError(concat(
          layer.title(), ": the model ends in ",
          in_quotes((is_linear(activation_of(layer)) ? activation_of(layers_.back()) : activation_of(layer)).dump()),
          ", and classes are told by a softmax", kCure));
    layers_.resize(at_);
    return {.dense = layer.name,
            .has_bias = layer.config.value("use_bias", json(true)) != json(false),
            .classes = classes_of(layer)};
  }

  // A convolution to as many channels as classes, and a pooling: the graph itself gives the logits.
  Output take_softmax() {
    const GraphLayer& layer = layers_[at_];
    const int64_t classes = classes_of(layer);
    if (at_ + 1 == layers_.size() || layers_.back().nested || is_softmax(activation_of(layer)))
      throw ConfigError(concat(layer.title(), ": its softmax is no layer of its own", kCure));
    layers_.pop_back();
    return {.dense = "", .classes = classes};
  }

  Output replace() {
    const int before = layers_[at_].inputs.front();
    const int64_t classes = classes_of(layers_[at_]);
    std::vector<GraphLayer> behind(layers_.begin() + static_cast<std::ptrdiff_t>(at_) + 1, layers_.end());
    std::erase_if(behind,
                  [](const GraphLayer& layer) { return layer.kind == "Activation" || layer.kind == "Softmax"; });
    layers_.resize(at_);
    for (GraphLayer& layer : behind) {
      layer.inputs = {layers_.size() == at_ ? before : static_cast<int>(layers_.size()) - 1};
      layers_.push_back(std::move(layer));
    }
    Output output = add_dense();
    output.classes = classes;
    return output;
  }

  Output add_dense() { return {.dense = free_name("output"), .has_bias = true, .is_new = true}; }

  std::string free_name(const std::string& wanted) const {
    std::string name = wanted;
    for (int i = 1; std::ranges::any_of(layers_, [&](const GraphLayer& layer) { return layer.name == name; }); ++i)
      name = concat(wanted, "_", i);
    return name;
  }

  std::vector<GraphLayer>& layers_;
  size_t at_ = 0;
  bool has_weights_ = false, is_chain_ = true;
};

}  // namespace

Output take_output(Graph& graph, OutputLayer wanted) { return End(graph).take(wanted); }

}  // namespace sft::keras
