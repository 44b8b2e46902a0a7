// One layer of a Keras graph at work. Tensors inside a graph are [B, C, H, W] where Keras has [B, H, W, C], and [B, C];
// shapes are of a sample and in Keras's order: [H, W, C] or [C], −1 a side that is known when a picture comes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trainer/models/blocks/batch_norm.h"
#include "trainer/models/keras/graph.h"
#include "trainer/models/keras/layer_config.h"
#include "trainer/models/model.h"

namespace sft::keras {

using Shape = std::vector<int64_t>;
using Tensors = std::vector<at::Tensor>;

std::string text_of(const Shape& shape);  // "[32, any, 3]"

// A tensor of a layer, in Keras's layout: kernels are [height, width, in, out] and [in, out].
struct Variable {
  std::string name;  // "kernel"
  Shape shape;
  double start = 0;     // each value at first
  double bound = 0;     // above 0: at first uniform in [−bound, bound]
  bool trains = true;   // false: statistics
  bool decays = false;  // under weight decay
};

// Glorot's uniform values for so many inputs and outputs of each number that goes out (2010, equation 16).
double glorot_bound(double fan_in, double fan_out);

// Of [B, …]; 0 where B is.
double numbers_a_picture(const at::Tensor& x);

// A forward pass over B pictures.
struct Pass {
  Mode mode = Mode::evaluation;
  at::Tensor draws_B;  // int64
  BatchNormRule batch_norm;
  double* flops = nullptr;  // of one picture, added to
};

// What a layer is made from.
struct LayerPlace {
  const GraphLayer& layer;
  std::vector<Shape> inputs;
  int keras = 3;     // the major version that wrote the model: some layers differ
  std::string path;  // of nested models and of itself: "mobilenet/conv1"
  uint64_t dropout_seed = 0;
};

class Layer {
 public:
  explicit Layer(const LayerPlace& place) : config_(place.layer), title_(place.layer.title()) {}
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  const Shape& shape() const { return shape_; }  // of what it gives
  const std::vector<Variable>& variables() const { return variables_; }
  // Values of the variables, in their order, before the first run. `nearest`: the last parameter of its model up to
  // this layer, the first behind it where none is, undefined where there is none at all.
  virtual void hold(const Tensors& values, const at::Tensor& nearest) {
    values_ = values;
    nearest_ = nearest;
  }
  virtual at::Tensor run(const Tensors& x, const Pass& pass) = 0;

 protected:
  const at::Tensor& value(size_t i) const { return values_[i]; }
  const at::Tensor& nearest() const { return nearest_; }
  const Shape& require_one_input(const LayerPlace& place) const;
  const Shape& require_picture(const LayerPlace& place) const;  // the one input, [H, W, C]
  [[noreturn]] void refuse(const std::string& why) const;

  LayerConfig config_;  // as long as the graph lives: read it in the constructor alone
  std::string title_;
  Shape shape_;
  std::vector<Variable> variables_;

 private:
  Tensors values_;
  at::Tensor nearest_;
};

// By class_name. ConfigError for one that is not built, with those that are; DataError where its config or its inputs
// are no layer.
std::unique_ptr<Layer> make_layer(const LayerPlace& place);

}  // namespace sft::keras
