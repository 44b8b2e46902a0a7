// B pictures of H × W pixels, C channels.
#include "trainer/onnx/resnet.h"

#include <string>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "trainer/models/resnet/resnet.h"

namespace sft::onnx {
namespace {

// Names of tensors: files have one of two layouts, and the model knows which.
class Names {
 public:
  explicit Names(const Model& model) : parameters_(model.parameters()), buffers_(model.buffers()) {}

  const std::string& of(const at::Tensor& tensor) const {
    for (const Parameters* list : {&parameters_, &buffers_})
      for (const Parameter& parameter : *list)
        if (parameter.value.is_same(tensor)) return parameter.name;
    throw Error(ExitCode::internal, "a tensor of the network is none of its parameters");
  }

 private:
  Parameters parameters_, buffers_;
};

std::vector<int64_t> both_ways(int64_t value, size_t times = 2) { return std::vector<int64_t>(times, value); }

Value conv_norm(Graph& graph, const Names& names, const ConvNorm& layer, const Value& x_BCHW, const Value& makes) {
  const int64_t kernel = layer.weight.size(2);
  const BatchNorm& norm = layer.norm;
  const Value conv = graph.node("Conv", makes + ".convolution", {x_BCHW, graph.weight(names.of(layer.weight))},
                                {{"kernel_shape", both_ways(kernel)},
                                 {"strides", both_ways(layer.stride)},
                                 {"pads", both_ways(kernel / 2, 4)}});
  std::vector<Value> takes{conv};
  for (const at::Tensor& tensor : {norm.weight, norm.bias, norm.running_mean, norm.running_var})
    takes.push_back(graph.weight(names.of(tensor)));
  return graph.node("BatchNormalization", makes, takes, {{"epsilon", static_cast<float>(norm.eps)}});
}

Value block(Graph& graph, const Names& names, const ResidualBlock& block, const Value& x_BCHW, const std::string& as) {
  Value y_BCHW = x_BCHW;
  for (size_t i = 0; i < block.layers.size(); ++i) {
    const Value makes = concat(as, "layer.", i);
    y_BCHW = conv_norm(graph, names, block.layers[i], y_BCHW, makes);
    if (i + 1 < block.layers.size()) y_BCHW = graph.node("Relu", makes + ".active", {y_BCHW});
  }
  const Value kept = block.shortcut ? conv_norm(graph, names, *block.shortcut, x_BCHW, as + "shortcut") : x_BCHW;
  return graph.node("Relu", as + "active", {graph.node("Add", as + "sum", {y_BCHW, kept})});
}

}  // namespace

Value resnet(Graph& graph, const Model& any) {
  const auto& model = dynamic_cast<const ResNet&>(any);
  const Names names(model);
  const Value pixels = graph.input("pixel_values", Element::float32,
                                   {"batch_size", model.stem().weight.size(1), "height", "width"});
  const Value stem = graph.node("Relu", "stem.active", {conv_norm(graph, names, model.stem(), pixels, "stem")});
  Value x_BCHW = graph.node(
      "MaxPool", "stem.pooled", {stem},
      {{"kernel_shape", both_ways(3)}, {"strides", both_ways(2)}, {"pads", both_ways(1, 4)}});
  for (size_t i = 0; i < model.blocks().size(); ++i)
    x_BCHW = block(graph, names, model.blocks()[i], x_BCHW, concat("block.", i, "."));
  return graph.node("Flatten", "features", {graph.node("GlobalAveragePool", "mean", {x_BCHW})});
}

}  // namespace sft::onnx
