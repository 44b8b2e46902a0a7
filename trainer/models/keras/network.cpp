#include "trainer/models/keras/network.h"

#include <algorithm>
#include <cassert>

namespace sft::keras {

Network::Network(const Graph& graph, const Shape& input, int keras, const std::string& path, uint64_t dropout_seed)
    : graph_(graph), input_(input), heeds_calls_(keras < 3) {
  for (const GraphLayer& layer : graph.layers) {
    LayerPlace place{
        .layer = layer, .inputs = {}, .keras = keras, .path = path + layer.name, .dropout_seed = dropout_seed};
    for (const int from : layer.inputs) place.inputs.push_back(shape(from));
    layers_.push_back(make_layer(place));
  }
  const auto count = static_cast<int>(layers_.size());
  last_reader_.assign(layers_.size() + 1, kInput);
  for (int i = 0; i < count; ++i)
    for (const int from : graph.layers[static_cast<size_t>(i)].inputs) last_reader_[static_cast<size_t>(from + 1)] = i;
  int before = kInput, furthest = last_reader_[0];  // the furthest layer that reads what stands before i
  for (int i = 0; i < count; ++i) {
    cuts_.push_back(before);
    is_cut_.push_back(furthest <= i);
    if (is_cut_.back()) before = i;
    furthest = std::max(furthest, last_reader_[static_cast<size_t>(i + 1)]);
  }
}

const Shape& Network::shape(int layer) const {
  return layer == kInput ? input_ : layers_[static_cast<size_t>(layer)]->shape();
}

std::vector<PlacedVariable> Network::variables() const {
  std::vector<PlacedVariable> all;
  for (size_t i = 0; i < layers_.size(); ++i)
    for (const Variable& variable : layers_[i]->variables())
      all.push_back({graph_.layers[i].name + "/" + variable.name, variable, static_cast<int>(i)});
  return all;
}

void Network::hold(const Tensors& values) {
  const std::vector<PlacedVariable> all = variables();
  assert(all.size() == values.size());
  const auto first = std::ranges::find_if(all, [](const PlacedVariable& placed) { return placed.variable.trains; });
  at::Tensor nearest = first == all.end() ? at::Tensor() : values[static_cast<size_t>(first - all.begin())];
  size_t next = 0;
  for (const auto& layer : layers_) {
    Tensors own;
    for (const Variable& variable : layer->variables()) {
      own.push_back(values[next++]);
      if (variable.trains) nearest = own.back();
    }
    layer->hold(own, nearest);
  }
}

at::Tensor Network::run(int first, int last, const at::Tensor& x, const Pass& pass) {
  assert(first <= last && is_cut(first - 1));
  std::vector<at::Tensor> given(static_cast<size_t>(last - first + 1));
  for (int i = first; i <= last; ++i) {
    const GraphLayer& layer = graph_.layers[static_cast<size_t>(i)];
    Tensors read;
    for (const int from : layer.inputs) read.push_back(from < first ? x : given[static_cast<size_t>(from - first)]);
    Pass own = pass;
    if (layer.evaluates && heeds_calls_) own.mode = Mode::evaluation;
    given[static_cast<size_t>(i - first)] = layers_[static_cast<size_t>(i)]->run(read, own);
    for (const int from : layer.inputs)  // memory of what nobody reads any more
      if (from >= first && last_reader_[static_cast<size_t>(from + 1)] == i)
        given[static_cast<size_t>(from - first)] = at::Tensor();
  }
  return given.back();
}

}  // namespace sft::keras
