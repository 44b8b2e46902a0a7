// The layers of a graph at work, one after the other.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "trainer/models/keras/layer.h"

namespace sft::keras {

// A variable of a network, by the path of its layer: "mobilenet/conv1/kernel".
struct PlacedVariable {
  std::string name;
  Variable variable;
  int layer = 0;  // of the network: a nested model is one
};

class Network {
 public:
  // Allocates nothing. Borrows `graph`. `path`: "" or "mobilenet/", in front of the names of layers.
  Network(const Graph& graph, const Shape& input, int keras, const std::string& path, uint64_t dropout_seed);

  size_t size() const { return layers_.size(); }
  const Shape& input() const { return input_; }
  const Shape& shape(int layer) const;  // kInput: of what the network reads
  std::vector<PlacedVariable> variables() const;
  void hold(const Tensors& values);  // of variables(), in their order

  // A cut: a layer behind which one tensor alone, its own, is read by the layers that come; and kInput.
  int cut_before(int layer) const { return cuts_[static_cast<size_t>(layer)]; }
  bool is_cut(int layer) const { return layer == kInput || is_cut_[static_cast<size_t>(layer)]; }
  bool is_chain() const { return std::ranges::find(is_cut_, false) == is_cut_.end(); }  // every layer is a cut
  // Layers first … last over the one tensor that goes into them, kInput or that of a cut in front of `first`.
  at::Tensor run(int first, int last, const at::Tensor& x, const Pass& pass);

 private:
  const Graph& graph_;
  Shape input_;
  bool heeds_calls_;  // Keras 3 runs a layer that was called with training=False as it runs the model around it
  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<bool> is_cut_;
  std::vector<int> cuts_, last_reader_;  // last_reader_: of the input, then of each layer
};

}  // namespace sft::keras
